/**
 * The cost of an analysis: statistics of all voxels, the central sections and a power spectrum of a large float32
 * volume, beside `sha256sum` of the same file in the same run; and the statistics of whole numbers, beside numpy.
 *
 *   npm run bench:analysis -- [GiB, default 4] [folder on the disk to measure, default: the temporary one]
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildHeader, generateMrc, MRC_HEADER_BYTES } from '@cryolift/mrc';
import { GIB, MIB } from '@cryolift/protocol/plan';
import { measureIntegers } from './analysis-integers.ts';
import { makePlace } from './place.ts';

interface Run {
  readonly seconds: number;
  readonly residentBytes: number;
}

const ROUNDS = 3;
const RUN = fileURLToPath(new URL('analysis-run.ts', import.meta.url));
const gib = Number(process.argv[2] ?? 4);
const folder = makePlace(process.argv[3] ?? tmpdir());
const path = join(folder, 'volume.mrc');
const [nx, ny] = [2048, 2048];
const nz = Math.floor((gib * GIB) / (4 * nx * ny));
const sizeBytes = MRC_HEADER_BYTES + 4 * nx * ny * nz;

writeVolume();
const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  const sha256sum = seconds(() => void execFileSync('sha256sum', [path]));
  const run = JSON.parse(execFileSync(process.execPath, [RUN, path], { encoding: 'utf8' })) as Run;
  rounds.push({ sha256sum, ...run });
}
rmSync(path);
const sha256sum = Math.min(...rounds.map((each) => each.sha256sum));
const fastest = Math.min(...rounds.map((each) => each.seconds));
const residentBytes = Math.max(...rounds.map((each) => each.residentBytes));
console.log(`${gib} GiB float32, ${nx} × ${ny} × ${nz}, the best of ${ROUNDS}:`);
console.log(`  sha256sum ${sha256sum.toFixed(2)} s; statistics + 3 sections + spectrum ${fastest.toFixed(2)} s`);
console.log(`  ${(sha256sum / fastest).toFixed(2)} × the speed of sha256sum; asked for: 0.5`);
console.log(`  greatest resident memory ${Math.round(residentBytes / MIB)} MiB; asked for: below 200`);
measureIntegers();

/** Voxels with a mean and a spread, so that nothing is easier than in real files. */
function writeVolume(): void {
  const header = buildHeader({ nx, ny, nz, mode: 2, ispg: 1, m: [nx, ny, nz], cella: [2 * nx, 2 * ny, 2 * nz] });
  const fd = openSync(path, 'w');
  const voxels = new Float32Array((4 * MIB) / 4);
  let first = true;
  for (const bytes of generateMrc({ header, sizeBytes, seed: 7 }, 4 * MIB)) {
    const start = first ? MRC_HEADER_BYTES : 0;
    const noise = new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
    const count = Math.floor(noise.length / 4);
    for (let i = 0; i < count; i++) {
      voxels[i] =
        10 + ((noise[4 * i] as number) + (noise[4 * i + 1] as number) + (noise[4 * i + 2] as number) - 382) / 100;
    }
    noise.set(new Uint8Array(voxels.buffer, 0, 4 * count));
    writeSync(fd, bytes);
    first = false;
  }
  closeSync(fd);
}

function seconds(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
}
