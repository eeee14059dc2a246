/** Files as cameras and reconstructions make them, simulated: without the correlations of a real detector. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { MIB } from '@cryolift/protocol/plan';

/** Is repeated through the file. A part is compressed by itself and is smaller, so that nothing repeats within one. */
const BLOCK_BYTES = 64 * MIB;
const UINT16_VALUES = 2 ** 16;

export interface SampleFile {
  readonly name: string;
  makeBlock(): Buffer;
}

export const FILES: readonly SampleFile[] = [
  { name: 'int8 counting movie, 0.3 e/px/frame', makeBlock: () => makeMovie(0.3) },
  { name: 'int8 counting movie, 1 e/px/frame', makeBlock: () => makeMovie(1) },
  { name: 'float32 tomogram', makeBlock: makeTomogram },
];

export function writeFile(path: string, { makeBlock }: SampleFile, sizeMib: number): void {
  const block = makeBlock();
  const fd = openSync(path, 'w');
  for (let left = sizeMib * MIB; left > 0; left -= block.length) writeSync(fd, block, 0, Math.min(block.length, left));
  closeSync(fd);
}

/** Counts of Poisson's distribution, a byte each. @param mean electrons for each pixel of a frame. */
function makeMovie(mean: number): Buffer {
  const counts = makeCounts(mean);
  const random = new Uint16Array(randomBytes(2 * BLOCK_BYTES).buffer);
  return Buffer.from(Uint8Array.from(random, (value) => counts[value] ?? 0).buffer);
}

/** The count that each of 65,536 equally likely values stands for. */
function makeCounts(mean: number): Uint8Array {
  const counts = new Uint8Array(UINT16_VALUES);
  let [count, probability] = [0, Math.exp(-mean)];
  let upTo = probability;
  for (let value = 0; value < UINT16_VALUES; value++) {
    while ((value + 0.5) / UINT16_VALUES > upTo && probability > 0) {
      count += 1;
      probability *= mean / count;
      upTo += probability;
    }
    counts[value] = count;
  }
  return counts;
}

/** Gaussian noise, which is what most voxels of a tomogram are. */
function makeTomogram(): Buffer {
  const voxels = new Float32Array(BLOCK_BYTES / 4);
  for (let nr = 0; nr < voxels.length; nr += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    voxels[nr] = radius * Math.cos(angle);
    voxels[nr + 1] = radius * Math.sin(angle);
  }
  return Buffer.from(voxels.buffer);
}
