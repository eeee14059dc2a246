/** Ends the process even while its threads wait. */
import { EXIT } from './exit.ts';

/**
 * `process.exit` waits for libuv's threads, and a system call on one of them may never return, such as one on an
 * unreachable file server. A signal ends this wait.
 */
export function endProcess(code: number): never {
  // Without a listener a signal has its default effect.
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
  process.exit(code);
}

/**
 * As `endProcess`, after a signal: does not wait for the threads. `execve` ends them, and keeps the process id. Windows
 * has no such call; the function is there and throws.
 */
export function endInterrupted(): never {
  if (process.platform !== 'win32' && process.execve) {
    process.emit('exit', EXIT.interrupted);
    process.execve('/bin/sh', ['sh', '-c', `exit ${EXIT.interrupted}`], {});
  }
  process.exit(EXIT.interrupted);
}
