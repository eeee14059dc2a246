import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from './event-stream.ts';

const STREAM =
  ': listening\nid: 41\n\nid: 41\nevent: progress\ndata: {"é":1}\n\n:\n\nid: 42\ndata: a\ndata: b\n\nid: 43\ndata: cut';

/** @param cut where chunks end, bytes. */
async function read(cut: number) {
  const bytes = new TextEncoder().encode(STREAM);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes.slice(0, cut));
      controller.enqueue(bytes.slice(cut));
      controller.close();
    },
  });
  const received: unknown[] = [];
  for await (const event of readEvents(
    body,
    () => {},
    (id) => received.push(id),
  ))
    received.push(event);
  return received;
}

test('events: chunks of any size give complete events with the id to continue from; an incomplete event is dropped', async () => {
  for (let cut = 0; cut < STREAM.length; cut++) {
    assert.deepEqual(await read(cut), [
      // The id before the first event.
      '41',
      { data: '{"é":1}', id: '41' },
      { data: 'a\nb', id: '42' },
      // After the event was consumed.
      '42',
    ]);
  }
});

const ENDLESS: [what: string, start: string, repeated: string][] = [
  ['one line', '', 'x'.repeat(1024 * 1024)],
  ['one line of data', 'data: ', 'x'.repeat(1024 * 1024)],
  ['one comment', ': ', 'x'.repeat(1024 * 1024)],
  ['lines of data', '', `data: ${'x'.repeat(1000)}\n`.repeat(1000)],
  ['lines of data between comments', '', `data: ${'x'.repeat(1000)}\n:\n`.repeat(1000)],
  ['lines of unknown fields', '', `field: ${'x'.repeat(1000)}\n`.repeat(1000)],
];

for (const [what, start, repeated] of ENDLESS) {
  test(`events: a stream without the end of an event is refused with bounded memory (${what})`, async () => {
    const encoder = new TextEncoder();
    let pulled = 0;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (++pulled > 64) controller.close();
        else controller.enqueue(encoder.encode(pulled === 1 ? start + repeated : repeated));
      },
    });
    const reading = readEvents(
      body,
      () => {},
      () => {},
    );
    await assert.rejects(reading.next(), { name: 'ForeignReplyError' });
    assert.ok(pulled < 12, `${pulled} MiB`);
  });
}

test('events: a stream with only comments continues', async () => {
  const comments = new TextEncoder().encode(': nothing new\n\n'.repeat(60_000));
  let pulled = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (++pulled > 16) controller.close();
      else controller.enqueue(comments);
    },
  });
  let chunks = 0;
  const reading = readEvents(
    body,
    () => chunks++,
    () => {},
  );
  assert.deepEqual(await reading.next(), { done: true, value: undefined });
  assert.equal(chunks, 16);
});

test('events: lines may end with CR LF', async () => {
  const bytes = new TextEncoder().encode('id: 7\r\ndata: a\r\ndata: b\r\n\r\n');
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events = await Array.fromAsync(
    readEvents(
      body,
      () => {},
      () => {},
    ),
  );
  assert.deepEqual(events, [{ data: 'a\nb', id: '7' }]);
});
