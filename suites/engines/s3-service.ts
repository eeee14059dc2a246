/** The S3-compatible service of the tests: SeaweedFS, or that of `CRYOLIFT_TEST_S3`. */
import { missingSeaweed, startSeaweed } from './seaweedfs.ts';
import { missingVersitygw, startVersitygw } from './versitygw.ts';

export const SERVICES = {
  seaweedfs: { missing: missingSeaweed, start: startSeaweed },
  versitygw: { missing: missingVersitygw, start: startVersitygw },
};
const name = process.env.CRYOLIFT_TEST_S3 ?? 'seaweedfs';
const service = SERVICES[name as keyof typeof SERVICES];
if (!service) throw new Error(`CRYOLIFT_TEST_S3 is one of ${Object.keys(SERVICES).join(', ')}`);

/** Why its tests are skipped, or false: it is there. */
export const missingService = service.missing;

/** On ports of 127.0.0.1 that are free, with a bucket. @throws Error with what it printed. */
export const startService = service.start;

/** ListParts has the checksums of the parts. */
export const listsChecksums = name === 'versitygw';
