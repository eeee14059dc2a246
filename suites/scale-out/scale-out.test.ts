/** A few seeds with small files; `main.ts` runs 100 with files of 256 MiB. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { missingService } from '../engines/s3-service.ts';
import { type Deployment, startDeployment, whyNoCaddy } from './deployment.ts';
import { runSeed } from './run.ts';

const MIB = 1024 * 1024;
const TIMEOUT_MS = 15 * 60_000;
const SEEDS = [1, 2, 3];
const TIMES = { lastsMs: 6_000, postgresAwayMs: 4_000 };
const skip = whyNoCluster() ?? whyNoCaddy() ?? missingService();

let starting: Promise<Deployment> | null = null;
after(async () => await (await starting)?.stop());

for (const seed of SEEDS) {
  test(`scale-out: servers, PostgreSQL and S3 fail: every file is right, no orphan is left (seed ${seed})`, {
    skip,
    // Minutes on a busy machine: a server that was killed is waited for.
    timeout: TIMEOUT_MS,
  }, async () => {
    starting ??= startDeployment();
    const sizes = { sizeBytes: 11 * MIB, partSizeBytes: 5 * MIB };
    const result = await runSeed(await starting, { seed, ...sizes, ...TIMES });
    assert.deepEqual(result.faults, []);
    assert.ok(result.kills > 0 && result.counts.acknowledgedParts > 0, 'there was load');
  });
}
