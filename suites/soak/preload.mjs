/**
 * Loaded into the server before anything of it (`node --expose-gc --import`): every SOAK_MEMORY_MS it collects the garbage
 * of the main thread and writes what is left, bytes, to SOAK_MEMORY_FILE. What is still in use after that does not grow in a
 * server without leaks, whatever the load.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { SOAK_MEMORY_FILE: path, SOAK_MEMORY_MS: everyMs } = process.env;
if (isMainThread && path) {
  setInterval(() => {
    globalThis.gc();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    writeFileSync(`${path}.new`, JSON.stringify({ pid: process.pid, heapUsed, external, arrayBuffers }));
    renameSync(`${path}.new`, path);
  }, Number(everyMs)).unref();
}
