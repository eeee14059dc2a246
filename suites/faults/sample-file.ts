/** The file that is sent over bad wires: made once, from a seed. */
import { createCipheriv, createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { buildHeader, MRC_HEADER_BYTES } from '@cryolift/mrc';
import { MIB } from '@cryolift/protocol/plan';

export interface SampleFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Writes a correct MRC file of this size, above 1,024 bytes, whose voxels look random and are always the same. */
export async function writeSampleFile(folder: string, sizeBytes: number): Promise<SampleFile> {
  const name = 'frames.mrc';
  const path = join(folder, name);
  const hash = createHash('sha256');
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'cryolift'), Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  const handle = await open(path, 'wx');
  try {
    let left = sizeBytes - MRC_HEADER_BYTES;
    let piece: Uint8Array = buildHeader({ nx: left, ny: 1, nz: 1, mode: 0 });
    for (;;) {
      hash.update(piece);
      await handle.write(piece);
      if (left === 0) break;
      piece = noise.update(zeros.subarray(0, Math.min(left, zeros.length)));
      left -= piece.length;
    }
  } finally {
    await handle.close();
  }
  return { path, name, sizeBytes, sha256: hash.digest('hex') };
}
