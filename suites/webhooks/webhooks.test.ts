/** A receiver that fails, hangs and dies, a server that is killed: two seeds here, a hundred with main.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './run.ts';

for (const seed of [101, 102]) {
  test(`seed ${seed}: every event comes at least once, in order for each upload`, { timeout: 100_000 }, async () => {
    const { faults, events } = await run(seed);
    assert.deepEqual(faults, []);
    assert.ok(events >= 8);
  });
}
