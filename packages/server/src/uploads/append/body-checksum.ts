/** The checksum of the body of one append. Nothing of the body counts until it matches. */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadMeter } from '../parts/meter.ts';

export interface BodyChecksum {
  update(bytes: Buffer): void;
  /** After the whole body, whose trailer may have the expected value. */
  matches(): boolean;
}

/** @param checksum null: none was declared. @throws UploadError `part_checksum_mismatch`. */
export function assertMatches(meter: UploadMeter, checksum: BodyChecksum | null): void {
  if (!checksum || checksum.matches()) return;
  meter.noteVerifyFailures('part', 1);
  throw new UploadError('part_checksum_mismatch', 'The body arrived with other bytes than its checksum says.');
}
