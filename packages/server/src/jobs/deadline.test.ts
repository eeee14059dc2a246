import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from './deadline.ts';

test('deadline: work that does not end is logged by name and not awaited', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const received: unknown[] = [];
  const deadline = new Deadline(1_000_000, { warn: ({ what }, message) => void received.push([what, message]) });
  await deadline.wait('quick', Promise.resolve());
  await deadline.wait('broken', Promise.reject(new Error('broken')));
  assert.ok(deadline.isKept);
  const endless = deadline.wait('endless', new Promise(() => {}));
  t.mock.timers.tick(1_000_000);
  await endless;
  assert.ok(!deadline.isKept);
  assert.deepEqual(received, [
    ['broken', 'a step of the shutdown failed'],
    ['endless', 'a step of the shutdown did not end in time; the next start finishes it'],
  ]);
});
