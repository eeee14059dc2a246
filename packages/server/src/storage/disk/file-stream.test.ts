import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../../db/test-rows.ts';
import { FileStream, STREAM_BYTES } from './file-stream.ts';
import { SYSTEM_CALLS } from './file-system.ts';
import { LARGE_READ_BYTES, ReadBuffers } from './read-buffers.ts';
import { countDescriptors, needsProc } from './test-descriptors.ts';

const MIB = 1024 * 1024;

async function makeFile(t: TestContext, sizeBytes: number) {
  const folder = await makeFolder(t);
  const path = join(folder, 'file');
  const bytes = randomBytes(sizeBytes);
  await writeFile(path, bytes);
  const open = async (buffers: ReadBuffers, start = 0, end = sizeBytes - 1) =>
    new FileStream(SYSTEM_CALLS, await SYSTEM_CALLS.open(path, constants.O_RDONLY), { start, end }, buffers);
  return { folder, bytes, open };
}

/** Looks at the bytes of each write only when it takes them, `ms` later, as a socket does; with Infinity never. */
class Receiver extends Writable {
  readonly received: Buffer[] = [];
  /** The chunk that it has and has not taken. */
  held: Buffer | null = null;
  readonly #ms: () => number;

  constructor(ms: () => number = () => 0) {
    super({ highWaterMark: 1 });
    this.#ms = ms;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.held = chunk;
    const ms = this.#ms();
    if (ms === Infinity) return;
    setTimeout(() => {
      this.received.push(Buffer.from(chunk));
      this.held = null;
      done();
    }, ms);
  }
}

test('file stream: the requested bytes, with large buffers or without, piped or read', async (t) => {
  const { bytes, open } = await makeFile(t, 3 * MIB + 77);
  for (const buffers of [new ReadBuffers(), new ReadBuffers(0)]) {
    for (const [start, end] of [
      [0, bytes.length - 1],
      [5, 5],
      [STREAM_BYTES - 1, STREAM_BYTES + 1],
      [100, 2 * MIB],
    ] as const) {
      const expected = bytes.subarray(start, end + 1);
      assert.ok((await buffer(await open(buffers, start, end))).equals(expected));
      const stream = await open(buffers, start, end);
      const ended = once(stream, 'end');
      const receiver = stream.pipe(new Receiver());
      await once(receiver, 'finish');
      assert.ok(receiver.bytes.equals(expected));
      await ended;
    }
    assert.equal(buffers.heldBytes, 0);
  }
});

test('file stream: a buffer is used again only when its bytes are taken', async (t) => {
  const { bytes, open } = await makeFile(t, 5 * MIB);
  const buffers = new ReadBuffers();
  const receivers = await Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const receiver = (await open(buffers)).pipe(new Receiver(() => (at * 7) % 5));
      await once(receiver, 'finish');
      return receiver;
    }),
  );
  for (const receiver of receivers) assert.ok(receiver.bytes.equals(bytes));
  assert.equal(buffers.heldBytes, 0);
});

test('file stream: with a stalled reader the stream has a small amount in memory', async (t) => {
  const { open } = await makeFile(t, 2 * MIB);
  const buffers = new ReadBuffers();
  const stream = await open(buffers);
  const receiver = stream.pipe(new Receiver(() => Infinity));
  while (!receiver.held) await sleep(5);
  await sleep(50);
  assert.ok(receiver.held && receiver.held.length <= STREAM_BYTES / 2, `${receiver.held?.length} bytes`);
  assert.equal(receiver.writableLength, receiver.held.length);
  assert.equal(buffers.heldBytes, 0);
  stream.destroy();
});

test('file stream: large buffers of all streams together are limited, and released', async (t) => {
  const { bytes, open } = await makeFile(t, 4 * MIB);
  const maxBytes = 4 * LARGE_READ_BYTES;
  const buffers = new ReadBuffers(maxBytes);
  let most = 0;
  const receivers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const receiver = new Receiver(() => {
        most = Math.max(most, buffers.heldBytes);
        return 0;
      });
      await once((await open(buffers)).pipe(receiver), 'finish');
      return receiver;
    }),
  );
  for (const receiver of receivers) assert.ok(receiver.bytes.equals(bytes));
  assert.ok(most > 0 && most <= maxBytes, `${most} bytes`);
  assert.equal(buffers.heldBytes, 0);
});

test(
  'file stream: ended in the middle it closes its file, and leaves its buffers to who reads them',
  needsProc,
  async (t) => {
    const { folder, bytes, open } = await makeFile(t, 4 * MIB);
    const buffers = new ReadBuffers();
    let writes = 0;
    // The write that is under way holds a large buffer.
    const receiver = new Receiver(() => (++writes < 5 ? 0 : Infinity));
    const stream = await open(buffers);
    stream.pipe(receiver);
    while (writes < 5) await sleep(1);
    const held = receiver.held as Buffer;
    assert.equal(held.length, LARGE_READ_BYTES);
    const before = Buffer.from(held);
    stream.destroy();
    assert.equal(buffers.heldBytes, 0);
    // Others would read into it, if they got it.
    const others = Array.from({ length: 3 }, async () => once((await open(buffers)).pipe(new Receiver()), 'finish'));
    await Promise.all(others);
    assert.ok(held.equals(before));
    assert.ok(bytes.includes(before.subarray(0, 64)));
    while (countDescriptors(folder) > 0) await sleep(5);

    const iterated = await open(buffers);
    for await (const _ of iterated) break;
    assert.equal(iterated.destroyed, true);
  },
);

test('file stream: a file that is too short destroys the piped stream with an error', async (t) => {
  const { bytes, open } = await makeFile(t, MIB);
  const stream = await open(new ReadBuffers(), 0, bytes.length);
  const receiver = new Receiver();
  stream.pipe(receiver);
  const [error] = (await once(stream, 'error')) as [Error];
  assert.match(error.message, /shorter than its record/);
  assert.equal(receiver.writableEnded, false);
});
