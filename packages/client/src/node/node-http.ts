/**
 * The values of `node:http` that clients use. An `import` would read all of its exports, and reading `WebSocket` loads the
 * HTTP client of `fetch`: 16 MB of memory and 30 ms of CPU time.
 */
export const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');
