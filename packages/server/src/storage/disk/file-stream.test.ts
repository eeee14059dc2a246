import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { makeFolder } from '../../db/test-rows.ts';
import { LargeReads, STREAM_BYTES, streamFile } from './file-stream.ts';
import { SYSTEM_CALLS } from './file-system.ts';

const MIB = 1024 * 1024;

async function makeFile(t: TestContext, sizeBytes: number) {
  const path = join(await makeFolder(t), 'file');
  const bytes = randomBytes(sizeBytes);
  await writeFile(path, bytes);
  const open = async (largeReads: LargeReads, start = 0, end = sizeBytes - 1) =>
    streamFile(SYSTEM_CALLS, await SYSTEM_CALLS.open(path, constants.O_RDONLY), { start, end }, largeReads);
  return { bytes, open };
}

test('file stream: the requested bytes, with large reads or without', async (t) => {
  const { bytes, open } = await makeFile(t, 3 * MIB + 77);
  for (const largeReads of [new LargeReads(), new LargeReads(0)]) {
    for (const [start, end] of [
      [0, bytes.length - 1],
      [5, 5],
      [STREAM_BYTES - 1, STREAM_BYTES + 1],
      [100, 2 * MIB],
    ] as const) {
      assert.ok((await buffer(await open(largeReads, start, end))).equals(bytes.subarray(start, end + 1)));
    }
    assert.equal(largeReads.heldBytes, 0);
  }
});

test('file stream: with a stalled reader the stream has a small amount in memory', async (t) => {
  const { open } = await makeFile(t, 2 * MIB);
  const largeReads = new LargeReads();
  const stream = await open(largeReads);
  stream.once('readable', () => {});
  while (stream.readableLength === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  // One more is held by what it is piped into.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(stream.readableLength <= STREAM_BYTES / 2, `${stream.readableLength} bytes`);
  assert.equal(largeReads.heldBytes, 0);
  stream.destroy();
});

test('file stream: large reads of all streams together are limited, and released', async (t) => {
  const { bytes, open } = await makeFile(t, 4 * MIB);
  const maxBytes = MIB;
  const largeReads = new LargeReads(maxBytes);
  const streams = await Promise.all(Array.from({ length: 20 }, () => open(largeReads)));
  let most = 0;
  const texts = await Promise.all(
    streams.map(async (stream) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        chunks.push(chunk as Buffer);
        most = Math.max(most, largeReads.heldBytes);
      }
      return Buffer.concat(chunks);
    }),
  );
  for (const text of texts) assert.ok(text.equals(bytes));
  assert.ok(most > 0 && most <= maxBytes, `${most} bytes`);
  assert.equal(largeReads.heldBytes, 0);
  const left = await open(largeReads);
  for await (const _ of left) break;
  assert.equal(left.destroyed, true);
  assert.equal(largeReads.heldBytes, 0);
});
