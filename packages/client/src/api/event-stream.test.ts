import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from './event-stream.ts';

const STREAM =
  ': listening\nid: 41\n\nid: 41\nevent: progress\ndata: {"é":1}\n\n:\n\nid: 42\ndata: a\ndata: b\n\nid: 43\ndata: cut';

/** @param cut where pieces end, bytes. */
async function read(cut: number) {
  const bytes = new TextEncoder().encode(STREAM);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes.slice(0, cut));
      controller.enqueue(bytes.slice(cut));
      controller.close();
    },
  });
  const seen: unknown[] = [];
  for await (const event of readEvents(
    body,
    () => {},
    (id) => seen.push(id),
  ))
    seen.push(event);
  return seen;
}

test('events come whole, wherever the network cuts them, with the id to go on from; half a one does not', async () => {
  for (let cut = 0; cut < STREAM.length; cut++) {
    assert.deepEqual(await read(cut), [
      // Before the first event: what comes after a cut from here on is not lost.
      '41',
      { data: '{"é":1}', id: '41' },
      { data: 'a\nb', id: '42' },
      // Once the event was taken.
      '42',
    ]);
  }
});

test('events: a stream in which no event ends is given up before it fills the memory', async () => {
  const piece = new TextEncoder().encode('x'.repeat(1024 * 1024));
  let pulled = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (++pulled > 64) controller.close();
      else controller.enqueue(piece);
    },
  });
  const reading = readEvents(
    body,
    () => {},
    () => {},
  );
  await assert.rejects(reading.next(), { name: 'ForeignReplyError' });
});
