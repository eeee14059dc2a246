/** What a server promises after a power loss, on disks that keep what was flushed and lose, tear and reorder the rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losePowerOften, printWrong } from './losses.ts';
import { LAYOUTS, type Layout } from './own-process.ts';
import { whyNoStrace } from './strace.ts';

const LOSSES = 50;
/** Half a minute where nothing else runs; ten times as much where others work on the machine. */
const TIMEOUT_MS = 15 * 60_000;

/** Invariants 2, 3, 4 and 6, on one recorded run of a server. @param firstSeed of the losses. */
export function testPowerLosses(layout: Layout, firstSeed: number): void {
  test(`${LOSSES} simulated power losses, ${layout}: nothing acknowledged is lost, nothing wrong is published`, {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    const missing = await whyNoStrace();
    if (missing !== null) {
      context.skip(missing);
      return;
    }
    const wrong: string[] = [];
    const summary = await losePowerOften(
      firstSeed,
      LOSSES,
      LOSSES,
      null,
      (recovered, recording) => wrong.push(printWrong(recovered, recording)),
      () => {},
      LAYOUTS.indexOf(layout),
    );
    assert.deepEqual(wrong, []);
    assert.equal(summary.losses, LOSSES);
    assert.ok(summary.acknowledgedParts > LOSSES, 'there was load');
    assert.ok(summary.takenBackParts > 0, 'bytes were lost');
  });
}
