/** A few rounds of a campaign as a test; `main.ts` runs the number in docs/reliability.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CampaignName, runSite, VOLUMES } from './campaigns.ts';
import { removeLeftovers, whyNot } from './volume.ts';

/** Half a minute at most where nothing else runs; ten times as much where others work on the machine. */
const TIMEOUT_MS = 5 * 60_000;

/** @param nth which variety of the campaign. */
export function testRounds(what: string, campaign: CampaignName, nth: number, rounds: number): void {
  test(`${what}: nothing acknowledged is lost, nothing wrong is published`, {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    removeLeftovers();
    const missing = VOLUMES[campaign].map(whyNot).filter((reason) => reason !== null);
    if (missing.length > 0) {
      context.skip(missing.join('; '));
      return;
    }
    const result = await runSite(campaign, 1000 + nth, rounds, nth);
    assert.deepEqual(result.faults, [], `seed ${result.seed}, evidence in ${result.evidence}`);
    assert.equal(result.rounds, rounds);
    assert.ok(result.counts.acknowledgedParts > 0, 'there was load');
  });
}
