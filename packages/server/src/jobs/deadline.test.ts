import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from './deadline.ts';

test('deadline: what does not end is named and not waited for; what ends or fails in time is', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: unknown[] = [];
  const deadline = new Deadline(1_000_000, { warn: ({ what }, message) => void told.push([what, message]) });
  await deadline.wait('quick', Promise.resolve());
  await deadline.wait('broken', Promise.reject(new Error('broken')));
  assert.ok(deadline.isKept);
  const endless = deadline.wait('endless', new Promise(() => {}));
  t.mock.timers.tick(1_000_000);
  await endless;
  assert.ok(!deadline.isKept);
  assert.deepEqual(told, [
    ['broken', 'a step of the shutdown failed'],
    ['endless', 'a step of the shutdown did not end in time; the next start finishes it'],
  ]);
});
