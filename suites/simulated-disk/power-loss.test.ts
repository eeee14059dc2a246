/** What a server promises after a power loss, on disks that keep what was flushed and lose, tear and reorder the rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losePowerOften, printWrong } from './losses.ts';
import { whyNoStrace } from './strace.ts';

const LOSSES = 100;
/** A minute where nothing else runs; ten times as much where others work on the machine. */
const TIMEOUT_MS = 15 * 60_000;

// Invariants 2, 3, 4, 6
test(`${LOSSES} simulated power losses: nothing acknowledged is lost, nothing wrong is published`, {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const missing = await whyNoStrace();
  if (missing !== null) {
    context.skip(missing);
    return;
  }
  const wrong: string[] = [];
  const summary = await losePowerOften(1, LOSSES, LOSSES / 2, null, (recovered, recording) =>
    wrong.push(printWrong(recovered, recording)),
  );
  assert.deepEqual(wrong, []);
  assert.equal(summary.losses, LOSSES);
  assert.ok(summary.acknowledgedParts > LOSSES, 'there was load');
  assert.ok(summary.takenBackParts > 0, 'bytes were lost');
});
