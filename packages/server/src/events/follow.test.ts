import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { UploadRecord } from '@cryolift/protocol/messages';
import type { UploadState } from '@cryolift/protocol/states';
import { insertEvent } from '../db/events.ts';
import { makeDatabase } from '../db/test-rows.ts';
import { Bus, type Watch } from './bus.ts';
import { fileSubject, stateType, uploadSubject } from './event.ts';
import { type EventContext, follow } from './follow.ts';
import { Pace } from './pace.ts';

interface ReceivedEvent {
  readonly id: number;
  readonly event: string;
  readonly type: string;
  readonly subject: string;
  readonly status: string;
}

const EVERYTHING = () => true;

/** A context with a map of upload states, and one stream that the test reads. */
async function makeUploads(t: TestContext, heartbeatMs = 60_000) {
  const db = await makeDatabase(t);
  const uploads = new Map<string, UploadState>();
  let reads = 0;
  const context: EventContext = {
    db,
    bus: new Bus(),
    pace: new Pace(),
    source: '/',
    heartbeatMs,
    now: () => 1000,
    newId: () => 'an-id',
    async readUpload(upload_id) {
      reads++;
      const status = uploads.get(upload_id);
      return status && ({ upload_id, status } as UploadRecord);
    },
  };
  return {
    context,
    uploads,
    get reads() {
      return reads;
    },
    /** Changes the state of an upload and emits its event. */
    async move(uploadId: string, status: UploadState, owner = 'ada'): Promise<void> {
      uploads.set(uploadId, status);
      const data = JSON.stringify({ upload_id: uploadId, status });
      const subject = uploadSubject(uploadId);
      await insertEvent(db, { id: 'i', type: stateType(status), subject, owner, time: 1, data });
      context.bus.notifyChange({ owner, uploadId });
    },
    open(watch: Watch, after: number | null = null, mayRead: (subject: string) => boolean = EVERYTHING) {
      const end = new AbortController();
      const frames = follow(context, watch, after, mayRead, end.signal);
      t.after(() => end.abort());
      return {
        end,
        frames,
        /** The next event. */
        async next(): Promise<ReceivedEvent | 'ended'> {
          for (;;) {
            const { done, value } = await frames.next();
            if (done) return 'ended';
            const received = /^id: (\d+)\nevent: (\w+)\ndata: (.+)\n\n$/.exec(value);
            if (!received) continue;
            const { type, subject, data } = JSON.parse(received[3] as string);
            return { id: Number(received[1]), event: received[2] as string, type, subject, status: data.status };
          }
        },
      };
    },
  };
}

function brief(received: ReceivedEvent | 'ended'): string {
  return received === 'ended'
    ? received
    : `${received.id} ${received.event} ${received.type.replace('cryolift.upload.', '')} ${received.status}`;
}

test('stream: one upload: its state, its events, and its end', async (t) => {
  const { context, move, open } = await makeUploads(t);
  await move('a', 'pending');
  const stream = open({ uploadId: 'a' });
  assert.equal(brief(await stream.next()), '1 state snapshot pending');
  await move('b', 'pending');
  context.bus.noteParts({ id: 'b', owner: 'ada' });
  await move('a', 'verifying');
  assert.equal(brief(await stream.next()), '3 state verifying verifying');
  await move('a', 'completed');
  assert.equal(brief(await stream.next()), '4 state completed completed');
  assert.equal(await stream.next(), 'ended');
});

test('stream: for a stalled reader few uploads and events are read', async (t) => {
  const test = await makeUploads(t);
  const { context, uploads, move } = test;
  const readUpload = context.readUpload.bind(context);
  let events = 0;
  Object.assign(context, {
    async readUpload(id: string) {
      const upload = await readUpload(id);
      return (
        upload && { ...upload, missing_parts: Array.from({ length: 1_000 }, (_, at) => [10_000 + at, 10_000 + at]) }
      );
    },
  });
  for (let at = 0; at < 40; at++) uploads.set(`u${at}`, 'uploading');
  const stream = test.open({ owner: 'ada' });
  await stream.frames.next();
  for (const id of uploads.keys()) context.bus.noteParts({ id, owner: 'ada' });
  assert.match(brief(await stream.next()), / progress progress uploading$/);
  // Each has some 13,000 characters.
  assert.ok(test.reads <= 6, `${test.reads} uploads were read`);
  // Each is sent once.
  const subjects = new Set<string>();
  while (subjects.size < 39) {
    const received = await stream.next();
    assert.ok(received !== 'ended' && !subjects.has(received.subject));
    subjects.add(received.subject);
  }
  // A change is sent before the state of the upload after it.
  for (let at = 0; at < 30; at++) await move(`u${at}`, 'verifying');
  for (const id of uploads.keys()) context.bus.noteParts({ id, owner: 'ada' });
  const states = new Map<string, string>();
  while (events < 30) {
    const received = await stream.next();
    if (received === 'ended') break;
    if (received.event === 'state') events++;
    else assert.ok(received.status !== 'verifying' || states.get(received.subject) === 'verifying', received.subject);
    states.set(received.subject, received.status);
  }
});

test('stream: an ended upload is sent once', async (t) => {
  const { move, open } = await makeUploads(t);
  await move('a', 'cancelled');
  const stream = open({ uploadId: 'a' });
  assert.equal(brief(await stream.next()), '1 state snapshot cancelled');
  assert.equal(await stream.next(), 'ended');
  const gone = open({ uploadId: 'nobody' });
  assert.equal(await gone.next(), 'ended');
});

test('stream: a reader that reconnects gets missed events first', async (t) => {
  const { move, open } = await makeUploads(t);
  await move('a', 'pending');
  await move('b', 'pending');
  await move('a', 'verifying');
  const stream = open({ uploadId: 'a' }, 1);
  assert.equal(brief(await stream.next()), '3 state verifying verifying');
  assert.equal(brief(await stream.next()), '3 state snapshot verifying');
  await move('a', 'completed');
  const ended = open({ uploadId: 'a' }, 0);
  const lines = [];
  for (let received = await ended.next(); received !== 'ended'; received = await ended.next())
    lines.push(brief(received));
  assert.deepEqual(lines, ['1 state created pending', '3 state verifying verifying', '4 state completed completed']);
});

for (const moment of ['before', 'after'] as const) {
  test(`stream: a change just ${moment} a read is sent once, before its effects`, async (t) => {
    const { context, move, open } = await makeUploads(t);
    await move('a', 'uploading');
    const { readUpload } = context;
    context.readUpload = async (id) => {
      context.readUpload = readUpload;
      if (moment === 'before') await move(id, 'verifying');
      const upload = await readUpload(id);
      if (moment === 'after') await move(id, 'verifying');
      return upload;
    };
    const stream = open({ uploadId: 'a' });
    assert.equal(brief(await stream.next()), '2 state verifying verifying');
    assert.equal(brief(await stream.next()), '2 state snapshot verifying');
  });
}

test('stream: a number from an earlier database counts as the newest', async (t) => {
  const { move, open } = await makeUploads(t);
  await move('a', 'pending');
  const stream = open({ owner: 'ada' }, 1000);
  assert.deepEqual((await stream.frames.next()).value, ': listening\nid: 1\n\n');
  await move('a', 'cancelled');
  assert.equal(brief(await stream.next()), '2 state cancelled cancelled');
});

test('stream: an owner gets all own events that the caller may read', async (t) => {
  const { context, move, open } = await makeUploads(t);
  const stream = open({ owner: 'ada' }, null, (subject) => subject !== fileSubject('secret'));
  await stream.frames.next();
  await move('a', 'pending');
  await move('b', 'pending', 'bob');
  for (const file of ['secret', 'open']) {
    const subject = fileSubject(file);
    await insertEvent(context.db, {
      id: 'i',
      type: 'cryolift.file.deleted',
      subject,
      owner: 'ada',
      time: 1,
      data: '{}',
    });
  }
  await move('a', 'completed');
  assert.equal(brief(await stream.next()), '1 state created pending');
  const file = await stream.next();
  assert.deepEqual(file !== 'ended' && [file.event, file.subject, file.id], ['file', 'files/open', 4]);
  assert.equal(brief(await stream.next()), '5 state completed completed');
});

test('stream: many parts are sent as one progress event', async (t) => {
  const test = await makeUploads(t);
  const { context, open, move } = test;
  await move('a', 'uploading');
  const stream = open({ uploadId: 'a' });
  await stream.next();
  const before = test.reads;
  for (let round = 0; round < 3; round++) {
    const next = stream.next();
    for (let part = 0; part < 1000; part++) {
      context.bus.noteParts({ id: 'a', owner: 'ada' });
      await null;
    }
    assert.equal(brief(await next), '1 progress progress uploading');
  }
  assert.ok(test.reads - before <= 6, `${test.reads - before} reads for 3 rounds`);
});

test('stream: an ended upload has no progress', async (t) => {
  const { context, open, move } = await makeUploads(t);
  const stream = open({ owner: 'ada' });
  await stream.frames.next();
  await move('a', 'cancelled');
  assert.equal(brief(await stream.next()), '1 state cancelled cancelled');
  context.bus.noteParts({ id: 'a', owner: 'ada' });
  for (const seq of [2, 3]) {
    const next = stream.next();
    await move(`later-${seq}`, 'pending');
    assert.equal(brief(await next), `${seq} state created pending`);
  }
});

test('stream: a stalled reader gets all events when it continues', async (t) => {
  const test = await makeUploads(t);
  const { context, open, move } = test;
  const stream = open({ owner: 'ada' });
  const text = Readable.from(stream.frames, { objectMode: false, highWaterMark: 1 });
  await once(text, 'readable');
  for (let at = 0; at < 250; at++) await move(`upload-${at}`, 'pending');
  for (let at = 0; at < 1000; at++) context.bus.noteParts({ id: 'upload-0', owner: 'ada' });
  assert.ok(test.reads <= 1, 'no upload is read');
  assert.ok(text.readableLength < 1000, `${text.readableLength} bytes wait`);
  const ids: number[] = [];
  for await (const chunk of text) {
    for (const [, id] of String(chunk).matchAll(/^id: (\d+)\nevent: state$/gm)) ids.push(Number(id));
    if (ids.length === 250) break;
  }
  assert.deepEqual(
    ids,
    Array.from({ length: 250 }, (_, at) => at + 1),
  );
});

test('stream: without events a comment is sent', async (t) => {
  const { open } = await makeUploads(t, 5);
  const { frames } = open({ owner: 'ada' });
  await frames.next();
  assert.equal((await frames.next()).value, ':\n\n');
  assert.equal((await frames.next()).value, ':\n\n');
});

test('stream: its signal ends it and removes its listener', async (t) => {
  const { context, open } = await makeUploads(t);
  const listeners = new Set<unknown>();
  const listen = context.bus.listen.bind(context.bus);
  context.bus.listen = (watch, listener) => {
    listeners.add(listener);
    const unlisten = listen(watch, listener);
    return () => {
      listeners.delete(listener);
      unlisten();
    };
  };
  const { frames, end } = open({ owner: 'ada' });
  await frames.next();
  assert.equal(listeners.size, 1);
  const waiting = frames.next();
  end.abort();
  assert.equal((await waiting).done, true);
  assert.equal(listeners.size, 0);
});
