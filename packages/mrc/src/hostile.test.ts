/** A hostile header makes a clear answer, never a crash, a hang or an allocation of its size. Longer: `node fuzz.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { hostileFile, useFile, useHugeFile } from './test-hostile.ts';

const SECONDS = 4;
const MAX_GROWTH_BYTES = 128 * 2 ** 20;

for (const [what, use] of [
  ['small files', (bytes: Uint8Array) => useFile(bytes, 'a.mrc')],
  ['stacks', (bytes: Uint8Array) => useFile(bytes, 'a.mrcs')],
  ['files as large as they say', useHugeFile],
] as const) {
  test(`${what} with hostile headers`, async () => {
    const before = process.memoryUsage.rss();
    const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false };
    await fc.assert(fc.asyncProperty(hostileFile, use), limits);
    const growth = process.memoryUsage.rss() - before;
    assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more memory`);
  });
}
