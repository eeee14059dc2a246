/** The size of the parts of a new upload. */
import { MIB } from '@cryolift/protocol/plan';

const PREFERRED_PARTS = 128;
/** Over a wide-area path, where one connection may be slow and up to 64 are in use. */
const PREFERRED_PARTS_WIDE = 1024;
/** From this round trip on, a path is a wide-area path. */
const WIDE_MS = 50;
const LEAST_PART_BYTES = MIB;
const MAX_PREFERRED_BYTES = 4 * MIB;

/**
 * A file with few parts ends with few connections in use, and an interruption costs a part. A file up to 512 MiB
 * therefore has about a hundred parts, and one up to 4 GiB about a thousand over a wide-area path, unless they become
 * too small for a request.
 *
 * @returns bytes, a power of two; null: the default of the server.
 */
export function preferPartSize(sizeBytes: number, roundTripMs: number): number | null {
  const partCount = roundTripMs < WIDE_MS ? PREFERRED_PARTS : PREFERRED_PARTS_WIDE;
  const preferred = Math.max(LEAST_PART_BYTES, 2 ** Math.ceil(Math.log2(sizeBytes / partCount)));
  return sizeBytes <= LEAST_PART_BYTES || preferred > MAX_PREFERRED_BYTES ? null : preferred;
}
