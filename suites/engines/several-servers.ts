/** Several servers on one PostgreSQL and one bucket, each a real process. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { listMultiparts, listParts } from '../../packages/server/src/storage/s3/multiparts.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { missingService } from './s3-service.ts';
import { findService } from './shared-service.ts';

let prefixes = 0;

/** For tests that start servers. */
export const options = { skip: whyNoCluster() ?? missingService(), timeout: 400_000 };

/** Two servers on a new database and a new prefix of the bucket; they end with the test. */
export async function startTwo(t: TestContext, more: Settings = {}): Promise<[OwnServer, OwnServer]> {
  const seaweed = await findService();
  const settings = {
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    ...seaweed.settings(`several-${process.pid}-${++prefixes}`),
    CRYOLIFT_ACCEPT: 'bin',
    ...more,
  };
  const servers = await Promise.all([startServer(settings), startServer(settings)]);
  t.after(() => Promise.all(servers.map((server) => server.discard())));
  return servers;
}

/** The bodies that the service has stored as parts of an upload: SeaweedFS lists all that were sent for one part. */
export async function listStored(uploadId: string) {
  const bucket = new Bucket({ ...(await findService()), prefix: '', pathStyle: true });
  try {
    const all = await Array.fromAsync(listMultiparts(bucket, 'several-'));
    const multipart = all.find(({ key }) => key.includes(uploadId));
    assert.ok(multipart, `${uploadId} is among the multipart uploads`);
    return await listParts(bucket, multipart.key, multipart.id);
  } finally {
    bucket.close();
  }
}
