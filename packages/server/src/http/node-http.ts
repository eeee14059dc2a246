/**
 * The values of `node:http` that the server uses. An `import` would read all of its exports, and reading `WebSocket` loads
 * the HTTP client of `fetch`: 16 MB of memory and 30 ms of CPU time.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
