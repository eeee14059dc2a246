/** Compresses parts with zstd at level 1, on a thread of the system (RFC 8878). */
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { PartEncoder } from '../ports.ts';

const compress = promisify(zstdCompress);

const OPTIONS = {
  chunkSize: 1024 * 1024,
  params: {
    [constants.ZSTD_c_compressionLevel]: 1,
    // 1 MiB: the server needs as much memory for each part that it decodes.
    [constants.ZSTD_c_windowLog]: 20,
  },
};

export const zstdEncoder: PartEncoder = {
  coding: 'zstd',
  async encode(bytes) {
    const encoded = await compress(bytes, OPTIONS);
    return new Uint8Array(encoded.buffer as ArrayBuffer, encoded.byteOffset, encoded.length);
  },
};
