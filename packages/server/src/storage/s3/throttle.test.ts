import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { Throttle } from './throttle.ts';

test('throttle: refusals within one pause count once, and a longer pause is reported and not waited for', async () => {
  let nowMs = 0;
  const throttle = new Throttle(() => nowMs);
  await throttle.wait();
  for (let refusal = 0; refusal < 100; refusal++) throttle.noteRefused();
  nowMs = 700;
  await throttle.wait();
  for (let pause = 0; pause < 6; pause++) {
    throttle.noteRefused();
    nowMs += 30_000;
  }
  throttle.noteRefused();
  await assert.rejects(throttle.wait(), (error: unknown) => {
    assert.ok(error instanceof UploadError);
    assert.equal(error.code, 'overloaded');
    assert.ok((error.retryAfterSeconds ?? 0) >= 15 && (error.retryAfterSeconds ?? 0) <= 25);
    return true;
  });
  nowMs += 30_000;
  await throttle.wait();
});
