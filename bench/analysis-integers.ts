/** Speed of the statistics of whole numbers, beside min, max, mean and std of numpy in the same run. */
import { spawnSync } from 'node:child_process';
import { buildHeader, layoutOf, MRC_HEADER_BYTES, parseHeader, VoxelAnalysis } from '@cryolift/mrc';
import { MIB } from '@cryolift/protocol/plan';

const CHUNK_BYTES = 4 * MIB;
const [EDGE, NZ] = [4096, 16];
const ROUNDS = 5;
const PYTHON = '/usr/bin/python3';
const ASKED_GB = 1;
const ASKED_RATIO = 2;

const MODES = [
  { mode: 0, name: 'int8', bytes: 1, type: 'i1' },
  { mode: 1, name: 'int16', bytes: 2, type: 'i2' },
  { mode: 6, name: 'uint16', bytes: 2, type: 'u2' },
] as const;

/** Prints the speed of each mode. Sets the exit code when neither what is asked for in GB/s nor the ratio is reached. */
export function measureIntegers(): void {
  console.log(`statistics of all voxels and of each section, ${EDGE} × ${EDGE} × ${NZ}, the best of ${ROUNDS}:`);
  for (const { mode, name, bytes, type } of MODES) {
    const sizeBytes = MRC_HEADER_BYTES + bytes * EDGE * EDGE * NZ;
    const header = parseHeader(
      buildHeader({ nx: EDGE, ny: EDGE, nz: NZ, mode, dmin: -9, dmax: 99, dmean: 9 }),
      sizeBytes,
    );
    const layout = layoutOf(header, sizeBytes);
    if (!layout) throw new Error('no layout');
    const chunk = countsOf(bytes);
    let seconds = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) {
      const began = process.cpuUsage().user;
      const pass = new VoxelAnalysis(layout, 'volume');
      for (let at = MRC_HEADER_BYTES; at < sizeBytes; at += chunk.length) pass.add(at, chunk);
      pass.statistics();
      seconds = Math.min(seconds, (process.cpuUsage().user - began) / 1e6);
    }
    const speed = (sizeBytes - MRC_HEADER_BYTES) / seconds / 1e9;
    const numpy = askNumpy(type);
    const ratio = numpy === null ? null : speed / numpy;
    const beside = ratio === null ? 'numpy is not here' : `numpy ${numpy?.toFixed(2)} GB/s, ${ratio.toFixed(1)} times`;
    console.log(`  ${name.padEnd(6)} ${speed.toFixed(2)} GB/s of CPU time; ${beside}`);
    if (mode !== 6 && speed < ASKED_GB && !(ratio !== null && ratio >= ASKED_RATIO)) process.exitCode = 1;
  }
  console.log(`  asked for: ${ASKED_GB} GB/s, or ${ASKED_RATIO} times numpy, of int8 and int16`);
}

/** Counts around 8, as of a counting camera. */
function countsOf(bytes: number): Uint8Array {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < chunk.length; at += bytes)
    chunk[at] = 8 + 5 * (Math.random() + Math.random() + Math.random() - 1.5);
  return chunk;
}

/** GB/s of min, max, mean and std in CPU time; null without numpy. */
function askNumpy(type: string): number | null {
  const script = `
import numpy as np, time
a = np.random.default_rng(1).poisson(8, ${8 * CHUNK_BYTES}).astype("${type}")
best = 1e9
for _ in range(${ROUNDS}):
    began = time.process_time(); a.min(); a.max(); a.mean(); a.std(); best = min(best, time.process_time() - began)
print(a.nbytes / best / 1e9)`;
  const { status, stdout } = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : null;
}
