/** A server that was stopped for longer than its leases, and goes on: at a few moments; `main.ts` has all of them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type DeploymentName, stopServices, whyNoDeployment } from '../crash-points/deployments.ts';
import type { Point } from '../crash-points/points.ts';
import { recordLate, writeLate } from './late-writes.ts';
import { PauseSite } from './pause-site.ts';

const TIMEOUT_MS = 15 * 60_000;
const before = (name: string): Point => ({ name, when: 'before' });

after(stopServices);

function testPauses(
  name: Exclude<DeploymentName, 'disk'>,
  points: readonly Point[],
  more: (site: PauseSite) => Promise<void> = async () => {},
): void {
  test(`pauses: another server does the work of one that was stopped, which changes nothing later (${name})`, {
    skip: whyNoDeployment(name) ?? false,
    timeout: TIMEOUT_MS,
  }, async () => {
    const site = await PauseSite.open(name);
    try {
      for (const point of points) {
        assert.equal(await site.pause(point), true, `${point.name} came`);
        assert.deepEqual(site.ledger.faults, [], point.name);
      }
      await more(site);
    } finally {
      const evidence = await site.close(name);
      assert.equal(evidence, null, 'the evidence');
    }
  });
}

// Invariants 2, 3, 4, 6
testPauses('bucket', [before('s3.complete')]);

// Invariants 2, 3, 4, 6
testPauses('shared', [before('postgres.commit')], async (site) => {
  // What was begun is still written: it is found before the publish.
  assert.equal(await writeLate(site, before('disk.write'), 'complete'), 'asked again');
  assert.equal(await recordLate(site), true);
  assert.deepEqual(site.ledger.faults, []);
});
