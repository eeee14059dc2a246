/**
 * Ends a process of tests that has nothing more to do without the cleanup of Node: in Node 26.10 that may wait for ever, with
 * a busy processor, for a request of a socket that is gone (`Environment::CleanupHandles`; seen in suites/faults).
 */
process.once('beforeExit', () => process.on('exit', (code) => process.reallyExit(code)));
