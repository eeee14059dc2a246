import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reply } from '../test-server.ts';
import { Api } from './api.ts';
import { isUploadRecord } from './shapes.ts';

test('Api: a page can have more items than a call can have arguments', async () => {
  const items = Array.from({ length: 200_000 }, (_, part) => ({ part, size: 1, sha256: '0'.repeat(64) }));
  const transport = { send: async () => reply(200, { items, next_cursor: null }) };
  assert.equal((await new Api(transport, async () => 'token').storedParts('u1')).length, items.length);
});

test('Api: a list of parts that does not end is refused', { timeout: 60_000 }, async () => {
  for (const items of [[], [{ part: 0, size: 1, sha256: '0'.repeat(64) }]]) {
    let calls = 0;
    const send = async () => {
      if (++calls > 20_000) throw new Error('it does not end');
      return reply(200, { items, next_cursor: 'again' });
    };
    const listing = new Api({ send }, async () => 'token').storedParts('u1');
    await assert.rejects(listing, { name: 'ForeignReplyError' });
  }
});

test('Api: missing parts must be ascending ranges of the upload', () => {
  const upload = (part_count: number, missing_parts: unknown) => {
    const texts = { upload_id: 'u1', status: 'pending', filename: 'a.mrc' };
    return { ...texts, size: 100, part_size: 10, part_count, received_parts: 0, received_bytes: 0, missing_parts };
  };
  assert.equal(
    isUploadRecord(
      upload(10, [
        [0, 3],
        [4, 4],
        [9, 9],
      ]),
    ),
    true,
  );
  for (const ranges of [
    [[0, 2 ** 53 - 1]],
    [[0, 10]],
    [[3, 2]],
    [
      [4, 5],
      [0, 1],
    ],
    [
      [0, 9],
      [0, 9],
    ],
  ]) {
    assert.equal(isUploadRecord(upload(10, ranges)), false);
  }
  assert.equal(isUploadRecord(upload(2 ** 40, [[0, 2 ** 40 - 1]])), false);
});
