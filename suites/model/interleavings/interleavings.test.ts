import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printFailure } from '../failure.ts';
import { runInterleavings } from './campaign.ts';

const RUNS = 200;

// Invariants 1, 2, 3, 4, 6, 7
test(`interleavings: in ${RUNS} orders of their steps, calls at once leave what the model allows`, async () => {
  const { failure, steps } = await runInterleavings({ runs: RUNS, seed: 1 });
  assert.equal(failure, null, failure ? printFailure(failure) : '');
  assert.ok(steps > RUNS);
});
