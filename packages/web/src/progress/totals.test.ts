import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PARTS, newUpload } from '../uploads/upload.ts';
import type { UploadState } from '../uploads/upload-states.ts';
import { sumUp } from './totals.ts';

function upload(state: UploadState, sizeBytes: number, storedBytes: number | null = null) {
  const received =
    storedBytes === null
      ? null
      : { uploadId: 'u', storedBytes, partCount: 1, partSizeBytes: 1, stored: NO_PARTS, underWay: NO_PARTS };
  return { ...newUpload(JSON.stringify([null, 'a.mrc', sizeBytes, 0]), state, false), received };
}

test('totals: count files and bytes, and the bytes that active uploads still have to send', () => {
  const totals = sumUp([
    upload('done', 100),
    upload('running', 100, 30),
    upload('queued', 50),
    upload('paused', 40, 10),
    upload('interrupted', 20, 5),
  ]);
  assert.deepEqual(totals, {
    files: 5,
    doneFiles: 1,
    activeFiles: 2,
    storedBytes: 145,
    totalBytes: 310,
    leftBytes: 120,
  });
});

test('totals: refused, failed and cancelled files do not count', () => {
  const none = { files: 0, doneFiles: 0, activeFiles: 0, storedBytes: 0, totalBytes: 0, leftBytes: 0 };
  assert.deepEqual(sumUp([upload('refused', 9), upload('failed', 9, 5), upload('cancelling', 9, 5)]), none);
  assert.deepEqual(sumUp([]), none);
});
