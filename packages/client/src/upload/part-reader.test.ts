import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { digest, PART_BYTES, TestSource } from '../test-server.ts';
import { LocalDigests } from './local-digests.ts';
import { PartBuffers } from './part-buffers.ts';
import { type LoadedPart, PartReader } from './part-reader.ts';

const NEVER = new AbortController().signal;

/** Of a file of six parts, with memory for two. */
function makeReader() {
  const source = new TestSource(randomBytes(6 * PART_BYTES));
  const upload = { size: source.sizeBytes, part_size: PART_BYTES } as UploadRecord;
  return { source, reader: new PartReader(source, new LocalDigests(), new PartBuffers(2 * PART_BYTES), upload) };
}

async function bytesOf({ body }: LoadedPart): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const bytes = new Uint8Array(body.length);
  await body.fill(0, bytes);
  return bytes;
}

// Invariant 9
test('part reader: when the memory is in use, further parts are read while they are sent', async () => {
  const { source, reader } = makeReader();
  const parts: LoadedPart[] = [];
  for (let idx = 0; idx < 5; idx++) parts.push(await reader.read(idx, false, NEVER));
  assert.deepEqual(
    parts.map(({ buffer }) => buffer !== null),
    [true, true, false, false, false],
  );
  for (const part of parts) {
    const expected = source.bytes.subarray(part.idx * PART_BYTES, (part.idx + 1) * PART_BYTES);
    assert.deepEqual(Buffer.from(await bytesOf(part)), Buffer.from(expected));
    assert.deepEqual(Buffer.from(part.digest), digest(expected));
  }
  reader.release(parts[0] as LoadedPart);
  assert.notEqual((await reader.read(5, false, NEVER)).buffer, null);
});

test('part reader: a part to be compressed waits for memory', async () => {
  const { reader } = makeReader();
  const [first] = [await reader.read(0, true, NEVER), await reader.read(1, true, NEVER)];
  const third = reader.read(2, true, NEVER);
  let isRead = false;
  void third.then(() => {
    isRead = true;
  });
  await new Promise(setImmediate);
  assert.equal(isRead, false);
  reader.release(first as LoadedPart);
  assert.notEqual((await third).buffer, null);
});
