import { GIB, MAX_PART_COUNT, MIB } from '@cryolift/protocol/plan';
import type { StorageLimits } from '../upload-storage.ts';

/** Of every service that is compatible with AWS. */
export const S3_LIMITS: StorageLimits = {
  minPartSizeBytes: 5 * MIB,
  maxPartSizeBytes: 5 * GIB,
  maxPartCount: MAX_PART_COUNT,
};
