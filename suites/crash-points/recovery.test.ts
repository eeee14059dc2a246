/** Steps that only a server takes that finds what a dead one has left, after the system was restarted, too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CrashSite } from './crash-site.ts';
import { type Point, pointsOf, printPoint } from './points.ts';

const PUBLISHED: Point = { name: 'upload.published', when: 'between' };

test('a file that was published and not recorded is verified again after a restart of the system, killed or not', {
  timeout: 5 * 60_000,
}, async () => {
  const points = pointsOf('recovery');
  assert.ok(points.length > 0);
  const site = await CrashSite.open('disk');
  try {
    for (const [boot, point] of points.entries()) {
      assert.ok(await site.crash(PUBLISHED));
      site.setBootId(`boot-${boot}`);
      assert.ok(await site.crashAtStart(point), `${printPoint(point)} is not reached`);
      await site.recover();
    }
  } finally {
    await site.close(PUBLISHED);
  }
  assert.deepEqual(site.ledger.faults, []);
});
