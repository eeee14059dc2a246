import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartBuffers } from './part-buffers.ts';

const NEVER = new AbortController().signal;

async function ask(buffers: PartBuffers, bytes: number, signal = NEVER) {
  const asked = { buffer: null as Uint8Array<ArrayBuffer> | null };
  buffers.take(bytes, signal).then(
    (buffer) => {
      asked.buffer = buffer;
    },
    () => {},
  );
  await new Promise(setImmediate);
  return asked;
}

test('part buffers: parts wait for memory in order, and one is always granted', async () => {
  const buffers = new PartBuffers(100);
  const large = await ask(buffers, 150);
  const [next, last] = [await ask(buffers, 60), await ask(buffers, 40)];
  assert.deepEqual([large.buffer?.length, next.buffer, last.buffer], [150, null, null]);
  buffers.giveBack(large.buffer as Uint8Array<ArrayBuffer>);
  await new Promise(setImmediate);
  assert.deepEqual([next.buffer?.length, last.buffer?.length], [60, 40]);
});

test('part buffers: a buffer is reused while others are in use', async () => {
  const buffers = new PartBuffers(100);
  const [kept, one] = [await ask(buffers, 40), await ask(buffers, 40)];
  buffers.giveBack(one.buffer as Uint8Array<ArrayBuffer>);
  const again = await ask(buffers, 40);
  assert.equal(again.buffer, one.buffer);
  buffers.giveBack(kept.buffer as Uint8Array<ArrayBuffer>);
  buffers.giveBack(again.buffer as Uint8Array<ArrayBuffer>);
  assert.notEqual((await ask(buffers, 40)).buffer, again.buffer);
});

test('part buffers: an aborted wait leaves its memory to the next part', async () => {
  const buffers = new PartBuffers(100);
  await ask(buffers, 60);
  const controller = new AbortController();
  const refused = buffers.take(90, controller.signal);
  const small = await ask(buffers, 40);
  assert.equal(String(small.buffer), 'null');
  controller.abort(new Error('enough'));
  await assert.rejects(refused, /enough/);
  await new Promise(setImmediate);
  assert.equal(small.buffer?.length, 40);
});

test('part buffers: there is room for one buffer of any size, and for others until the memory is used', async () => {
  const buffers = new PartBuffers(100);
  assert.equal(buffers.hasFree(150), true);
  await ask(buffers, 60);
  assert.deepEqual([buffers.hasFree(40), buffers.hasFree(41)], [true, false]);
  await ask(buffers, 41);
  assert.equal(buffers.hasFree(1), false, 'another one waits');
});
