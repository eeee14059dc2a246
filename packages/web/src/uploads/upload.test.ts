import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { receivedInUpload } from './upload.ts';

function received(missing: [number, number][], truncated: boolean) {
  return receivedInUpload({
    upload_id: 'u1',
    part_count: 10,
    received_parts: 4,
    received_bytes: 400,
    missing_parts: missing,
    missing_truncated: truncated,
  } as Partial<UploadRecord> as UploadRecord);
}

function storedOf({ stored }: ReturnType<typeof received>): number[] {
  return Array.from({ length: 12 }, (_, idx) => idx).filter((idx) => stored.has(idx));
}

test('received parts: all parts that are not missing are stored', () => {
  const parts = received(
    [
      [0, 2],
      [5, 7],
    ],
    false,
  );
  assert.deepEqual(storedOf(parts), [3, 4, 8, 9]);
  assert.deepEqual([parts.uploadId, parts.partCount, parts.storedBytes, parts.stored.size], ['u1', 10, 400, 4]);
});

test('received parts: after the end of a truncated list no part counts as stored', () => {
  assert.deepEqual(
    storedOf(
      received(
        [
          [0, 2],
          [5, 7],
        ],
        true,
      ),
    ),
    [3, 4],
  );
  assert.deepEqual(storedOf(received([], true)), []);
});
