/** Hostile headers cause no exception, no endless loop and no huge allocation. `node fuzz.ts` runs longer. */
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { hostileFile, useFile, useHugeFile } from './test-hostile.ts';
import { hostileExtended, hostileMdoc, useExtended, useMdoc } from './test-hostile-parts.ts';
import { hostileTiff, useTiff } from './tiff/test-hostile-tiff.ts';

const SECONDS = 3;
/** The sums of a raster of 1024 × 1024 pixels are the largest that is needed. */
const MAX_ALLOCATION_BYTES = 8 * 2 ** 20;
const ARRAYS = ['ArrayBuffer', 'Uint8Array', 'Uint32Array', 'Float32Array', 'Float64Array'] as const;

const originals = ARRAYS.map((name) => [name, globalThis[name]] as const);

// Used memory is no measure: it depends on garbage collection, and untouched pages do not count.
before(() => {
  for (const [name, original] of originals) {
    const construct = (target: typeof original, args: unknown[], newTarget: typeof original) => {
      const made = Reflect.construct(target, args, newTarget);
      if (typeof args[0] === 'number' && made.byteLength > MAX_ALLOCATION_BYTES) {
        throw new Error(`${name} of ${made.byteLength} bytes`);
      }
      return made;
    };
    Object.assign(globalThis, { [name]: new Proxy(original, { construct }) });
  }
});
after(() => Object.assign(globalThis, Object.fromEntries(originals)));

for (const [what, use] of [
  ['small files', (bytes: Uint8Array) => useFile(bytes, 'a.mrc')],
  ['stacks', (bytes: Uint8Array) => useFile(bytes, 'a.mrcs')],
  ['huge declared sizes', useHugeFile],
] as const) {
  test(`hostile headers: ${what} cause no exception and no large allocation`, async () => {
    const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false };
    await fc.assert(fc.asyncProperty(hostileFile, use), limits);
  });
}

for (const [what, files, use] of [
  ['extended headers', hostileExtended, useExtended],
  ['.mdoc files', hostileMdoc, async (bytes: Uint8Array) => useMdoc(bytes)],
  ['TIFF and EER files', hostileTiff, useTiff],
] as const) {
  test(`hostile ${what}: cause no exception and no large allocation`, async () => {
    const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false };
    await fc.assert(fc.asyncProperty(files, use), limits);
  });
}
