import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { validateRange } from './parallel-append.ts';
import { printReceived } from './parallel-limits.ts';
import { Problem } from './problem.ts';

const STATE = { lengthBytes: 2_500, partSizeBytes: 1_000, offset: 0 };
const range = (offset: number, bodyBytes: number | null, isComplete = false, lengthBytes: number | null = null) =>
  validateRange(STATE, { offset, bodyBytes, isComplete, lengthBytes });

function refusal(...asked: Parameters<typeof range>): string {
  try {
    return `took ${range(...asked)} bytes`;
  } catch (error) {
    if (error instanceof Problem && error.problem !== null) return error.problem;
    return error instanceof UploadError ? error.code : String(error);
  }
}

test('parallel append: ranges that begin and end at parts are taken, and the end of the file', () => {
  assert.equal(range(0, 1_000), 1_000);
  assert.equal(range(1_000, 1_000, false, 2_500), 1_000);
  assert.equal(range(0, 2_500), 2_500);
  assert.equal(range(2_000, 500), 500);
  assert.equal(range(2_500, 0, true), 0);
  assert.equal(range(7, 0), 0, 'no bytes are at no border');
});

test('parallel append: other ranges are refused', () => {
  assert.equal(refusal(1, 1_000), 'misaligned-append');
  assert.equal(refusal(0, 999), 'misaligned-append');
  assert.equal(refusal(0, 1_001), 'misaligned-append');
  assert.equal(refusal(500, 500), 'misaligned-append');
  assert.equal(refusal(2_000, 501), 'offset-outside-window');
  assert.equal(refusal(2_501, 0), 'offset-outside-window');
  assert.equal(refusal(0, null), 'length_required');
  assert.equal(refusal(2_000, 500, true), 'invalid_request');
  assert.equal(refusal(0, 0, true), 'invalid_request');
  assert.equal(refusal(0, 1_000, false, 2_501), 'inconsistent-upload-length');
});

test('received ranges: adjacent ones are one, and the field stays short', () => {
  assert.equal(printReceived([]), '');
  assert.equal(
    printReceived([
      { offset: 0, length: 10 },
      { offset: 10, length: 5 },
      { offset: 20, length: 1 },
    ]),
    '(0 15), (20 21)',
  );
  const many = Array.from({ length: 10_000 }, (_, at) => ({ offset: at * 2, length: 1 }));
  assert.ok(printReceived(many).length < 8_192);
});
