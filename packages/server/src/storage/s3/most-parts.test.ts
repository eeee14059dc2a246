/** An upload with as many parts as S3 takes: 10,000. `suites/engines/most-parts.ts` makes one object of as many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { makeBytes, stage } from '../test-storage.ts';
import { listParts } from './multiparts.ts';
import { makeBucket, withService } from './test-bucket.ts';

/** No object is made of them, for which services want 5 MiB. */
const PART_BYTES = 1000;
const SENDERS = 16;

test('s3: all of 10,000 parts are found, and each by its number', withService, async (t) => {
  const { storage, direct, keys } = await makeBucket(t);
  const bytes = makeBytes(MAX_PART_COUNT * PART_BYTES - 77);
  const upload = await stage(storage, 'most', bytes.length, PART_BYTES);
  let next = 0;
  const send = async () => {
    for (let idx = next++; idx < MAX_PART_COUNT; idx = next++) {
      await upload.store(idx, bytes.subarray(idx * PART_BYTES, (idx + 1) * PART_BYTES), { isDeclared: true });
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  assert.equal(upload.parts.length, MAX_PART_COUNT);
  assert.deepEqual(await upload.findLost(), []);
  for (const [first, last] of [
    [998, 1002],
    [9_999, MAX_PART_COUNT],
    [MAX_PART_COUNT, MAX_PART_COUNT],
  ] as const) {
    const listed = await listParts(direct, keys.ofUpload(upload.to), upload.to.ref as string, { first, last });
    const numbers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    assert.deepEqual(
      [...new Set(listed?.map(({ number }) => number))].sort((a, b) => a - b),
      numbers,
    );
  }
  await storage.uploads.discard(upload.to);
});
