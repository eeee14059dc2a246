/** Each kind of call of a running server fails once. `main.ts` has every kind with every trouble. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listCalls, listTrials, printTrial, type Trial } from './trials.ts';
import { TroubleSite } from './trouble-site.ts';

const TIMEOUT_MS = 10 * 60_000;
const WHILE_MS = 100;

/** Others go on while a thread waits for the disk. */
const STALLED = ['storage/disk/threads/write-worker.ts writeSync', 'storage/disk/flusher.ts fdatasync'];

/** Of each kind one, so that all troubles come in turn. */
function pickTrials(): Trial[] {
  const picked = listCalls().map((call, nth) => {
    const trials = listTrials().filter((trial) => trial.call === call);
    return trials[(5 * nth) % trials.length] as Trial;
  });
  const stalled = STALLED.map((call) => ({ call, trouble: 'stall', nth: 1, lasts: false }) as const);
  return [...picked, ...stalled];
}

// Invariants 1, 2, 4, 10
test('each kind of call of the file system fails: answers are of the contract, and nothing is lost', {
  timeout: TIMEOUT_MS,
}, async () => {
  const trials = pickTrials();
  for (const trouble of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'short', 'stall']) {
    assert.ok(
      trials.some((trial) => trial.trouble === trouble),
      trouble,
    );
  }
  const site = await TroubleSite.open({ whileMs: WHILE_MS, stallMs: 0 });
  const unreached: string[] = [];
  for (const trial of trials) {
    if (!(await site.run(trial))) unreached.push(printTrial(trial));
    if (site.ledger.faults.length > 0) break;
  }
  const evidence = await site.close();
  assert.deepEqual(site.ledger.faults, [], `evidence in ${evidence}`);
  assert.deepEqual(unreached, [], 'the workload makes every call');
});
