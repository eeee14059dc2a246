import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Swept } from '@cryolift/protocol/messages';
import { RequestedSweep } from './requested-sweep.ts';

const SWEPT: Swept = { expired: 1, deleted: 2, leftovers: 3, forgotten: 4 };

test('requested sweep: a long sweep is reported as running, joined, and has its result at the end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ends: ((swept: Swept) => void)[] = [];
  const sweep = new RequestedSweep(
    () => new Promise((resolve) => ends.push(resolve)),
    () => 1000,
  );
  assert.equal(sweep.report().status, 'never');
  const asked = [sweep.run(), sweep.run()];
  t.mock.timers.tick(20_000);
  const started_at = '1970-01-01T00:00:01.000Z';
  const report = { status: 'running', started_at, ended_at: null, swept: null };
  assert.deepEqual(await Promise.all(asked), [
    { kind: 'running', report },
    { kind: 'running', report },
  ]);
  const last = sweep.run();
  ends[0]?.(SWEPT);
  assert.deepEqual(await last, { kind: 'done', swept: SWEPT });
  assert.deepEqual(sweep.report(), { status: 'done', started_at, ended_at: started_at, swept: SWEPT });
  assert.equal(ends.length, 1);
  const next = sweep.run();
  ends[1]?.(SWEPT);
  await next;
  assert.equal(ends.length, 2);
});

test('requested sweep: a failed sweep is an error for the request, and has no result', async () => {
  const sweep = new RequestedSweep(
    async () => {
      throw new Error('broken');
    },
    () => 1000,
  );
  await assert.rejects(sweep.run(), /broken/);
  const { status, swept } = sweep.report();
  assert.deepEqual([status, swept], ['done', null]);
});
