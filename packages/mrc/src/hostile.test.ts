/** A hostile header makes a clear answer, never a crash, a hang or an allocation of its size. Longer: `node fuzz.ts`. */
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { hostileFile, useFile, useHugeFile } from './test-hostile.ts';

const SECONDS = 3;
/** The sums of a raster of 1024 × 1024 pixels are the largest that is needed. */
const MAX_ALLOCATION_BYTES = 8 * 2 ** 20;
const ARRAYS = ['ArrayBuffer', 'Uint8Array', 'Uint32Array', 'Float32Array', 'Float64Array'] as const;

const originals = ARRAYS.map((name) => [name, globalThis[name]] as const);

// Memory in use says little: it depends on when garbage is collected, and pages never written to are not in use.
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
  ['files as large as they say', useHugeFile],
] as const) {
  test(`hostile headers: ${what} cause no exception and no large allocation`, async () => {
    const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false };
    await fc.assert(fc.asyncProperty(hostileFile, use), limits);
  });
}
