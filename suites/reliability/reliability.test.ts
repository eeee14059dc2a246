/** A few rounds of each campaign; `main.ts` runs as many as docs/reliability.md tells of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CampaignName, runSite, VOLUMES } from './campaigns.ts';
import { removeLeftovers, whyNot } from './volume.ts';

/** Twice what a machine with much else to do takes. */
const TIMEOUT_MS = 110_000;

removeLeftovers();

const TESTS: readonly [what: string, campaign: CampaignName, nth: number, rounds: number][] = [
  ['kill -9 under load', 'kills', 0, 6],
  ['power losses on ext4, the boot id stays the same', 'power', 0, 2],
  ['power losses on ext4, with a new boot id', 'power', 1, 2],
  ['power losses on XFS, the boot id stays the same', 'power', 2, 2],
  ['power losses on XFS, with a new boot id', 'power', 3, 2],
  ['power losses on ext4 that has the bytes alone', 'power', 4, 2],
  ['a disk that is filled', 'full', 0, 2],
  ['a disk with the database alone that is filled', 'full', 3, 1],
  ['single calls of the file system fail', 'eio', 0, 2],
  ['ext4 is shut down under the running server', 'eio', 1, 2],
];

for (const [what, campaign, nth, rounds] of TESTS) {
  test(`${what}: nothing acknowledged is lost, nothing wrong is published`, {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    const missing = VOLUMES[campaign].map(whyNot).filter((reason) => reason !== null);
    if (missing.length > 0) {
      assert.ok(!process.env.CI, `not run: ${missing.join('; ')}`);
      context.skip(`not run: ${missing.join('; ')}`);
      return;
    }
    const result = await runSite(campaign, 1000 + nth, rounds, nth);
    assert.deepEqual(result.faults, [], `seed ${result.seed}, evidence in ${result.evidence}`);
    assert.equal(result.rounds, rounds);
    assert.ok(result.counts.acknowledgedParts > 0, 'there was load');
  });
}
