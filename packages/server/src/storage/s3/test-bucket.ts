/** Storages in a bucket of a real service, for tests. Each has a prefix of its own. */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3';
import { missingService } from '../../../../../suites/engines/s3-service.ts';
import { findService } from '../../../../../suites/engines/shared-service.ts';
import { Writers } from '../disk/threads/writers.ts';
import type { StagedUpload } from '../places.ts';
import { Bucket } from './bucket.ts';
import { Keys } from './keys.ts';
import { listMultiparts } from './multiparts.ts';
import { S3Storage } from './s3-storage.ts';

export const withService = { skip: missingService() };

export async function makeBucket(t: TestContext) {
  const { bucket, endpoint, region, credentials } = await findService();
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const settings = { bucket, prefix, endpoint, region, pathStyle: true, credentials };
  const storage = new S3Storage(settings, new Writers(2, 8));
  const direct = new Bucket(settings);
  t.after(async () => {
    await storage.close();
    direct.close();
  });
  const keys = new Keys(prefix);
  return {
    storage,
    settings,
    keys,
    /** The same bucket, behind the back of the storage. */
    direct,
    async lose(upload: StagedUpload): Promise<void> {
      for await (const { key, id } of listMultiparts(direct, keys.ofUpload(upload))) {
        await direct.client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id }));
      }
    },
  };
}
