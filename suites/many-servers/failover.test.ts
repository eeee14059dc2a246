/** PostgreSQL fails over to a replica that lacks the last commits, beside a bucket; `main.ts` has a shared folder, too. */
import { test } from 'node:test';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { missingService } from '../engines/s3-service.ts';
import { findService } from '../engines/shared-service.ts';
import { seedRandom } from '../faults/random.ts';
import { FailoverSite } from './failover.ts';

const TIMEOUT_MS = 10 * 60_000;
const seed = Number(process.env.CRYOLIFT_TEST_SEED ?? Math.floor(Math.random() * 1e9));

// Invariants 3, 4, 6
test('failover: what was acknowledged in lost commits is gone, sent again, and never confused', {
  skip: whyNoCluster() ?? missingService(),
  timeout: TIMEOUT_MS,
}, async (t) => {
  t.diagnostic(`CRYOLIFT_TEST_SEED=${seed}`);
  const site = await FailoverSite.open(await findService(), seedRandom(seed));
  t.after(() => site.close());
  t.diagnostic(JSON.stringify(await site.run()));
});
