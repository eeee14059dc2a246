/** Long fuzzing: `node packages/mrc/fuzz.ts --seconds 600 --seed 1`. Prints the failing file, and exits with 1. */
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { hostileFile, useFile, useHugeFile } from './src/test-hostile.ts';
import { hostileExtended, hostileMdoc, useExtended, useMdoc } from './src/test-hostile-parts.ts';
import { hostileTiff, useTiff } from './src/tiff/test-hostile-tiff.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: String(Date.now()) } },
});
const limits = {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: Number(values.seconds) * 1000,
  markInterruptAsFailure: false,
  seed: Number(values.seed) | 0,
};
let files = 0;
await fc.assert(
  fc.asyncProperty(hostileFile, hostileExtended, hostileMdoc, hostileTiff, async (bytes, extended, mdoc, tiff) => {
    files++;
    await useFile(bytes, files % 2 === 0 ? 'a.mrc' : 'a.mrcs');
    await useHugeFile(bytes);
    await useExtended(extended);
    useMdoc(mdoc);
    await useTiff(tiff);
  }),
  limits,
);
console.log(`${files} files in ${values.seconds} s, ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`);
