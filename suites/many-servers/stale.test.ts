/** A bucket whose lists are old; `main.ts` has more rounds. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { stopServices, whyNoDeployment } from '../crash-points/deployments.ts';
import { seedRandom } from '../faults/random.ts';
import { StaleSite } from './stale.ts';

const TIMEOUT_MS = 10 * 60_000;
const seed = Number(process.env.CRYOLIFT_TEST_SEED ?? Math.floor(Math.random() * 1e9));

after(stopServices);

// Invariants 2, 3, 4
test('old lists: uploads are completed, nothing is removed that is needed, and nothing is reported as lost', {
  skip: whyNoDeployment('bucket') ?? false,
  timeout: TIMEOUT_MS,
}, async (t) => {
  t.diagnostic(`CRYOLIFT_TEST_SEED=${seed}`);
  const site = await StaleSite.open();
  await site.run(seedRandom(seed));
  const { faults } = site.ledger;
  const evidence = await site.close();
  assert.deepEqual(faults, [], `evidence in ${evidence}`);
  assert.ok(site.lists.counts.stale > 10, `${site.lists.counts.stale} lists were old`);
});
