/** The bytes of files, made from a seed: no byte of them needs to be kept in order to be compared later. */
import { createCipheriv, createHash } from 'node:crypto';
import { buildHeader, MRC_HEADER_BYTES } from '@cryolift/mrc';

/** @param filename files whose names end in .mrc begin with a correct header; they must have over 1,024 bytes. */
export function makeContent(filename: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(filename).digest();
  const bytes = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
  if (!filename.endsWith('.mrc')) return bytes;
  const header = buildHeader({ nx: sizeBytes - MRC_HEADER_BYTES, ny: 1, nz: 1, mode: 0 });
  return Buffer.concat([header, bytes.subarray(MRC_HEADER_BYTES)]);
}
