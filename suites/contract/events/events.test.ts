/** Server-sent events: of one upload, and of all that an owner has. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { findServer, HAS_LATE_DIGESTS, type OwnServer, startServer } from '../../server-under-test.ts';
import { EventStream, type ReceivedEvent } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { complete, eventually, open, openSample, publish, put, putAll, readUploadRecord } from '../upload.ts';
import { Connection, callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

/** An owner of its own: how he calls, and how he listens. */
function newOwner() {
  const claims = { sub: `owner-${randomUUID()}` };
  return {
    claims,
    call: callAs(server, claims),
    listen: (path = '/events', lastId?: string) => EventStream.open<UploadRecord>(server, path, claims, lastId),
  };
}

const pathOf = ({ upload_id }: Pick<UploadRecord, 'upload_id'>) => `/uploads/${upload_id}/events`;
const kindOf = ({ type }: Pick<ReceivedEvent<unknown>, 'type'>) => type.replace('cryolift.', '');

test('events: an upload from its snapshot to its end', async () => {
  const { call, listen } = newOwner();
  const { upload, bytes } = await openSample(call, 6);
  const stream = await listen(pathOf(upload));
  assert.match(stream.response.headers.get('cache-control') ?? '', /\bno-store\b/);
  assert.equal(stream.response.headers.get('x-accel-buffering'), 'no');

  const first = await stream.next();
  assert.deepEqual([first?.name, first?.type], ['state', 'cryolift.upload.snapshot']);
  assert.equal(first?.subject, `uploads/${upload.upload_id}`);
  assert.deepEqual(first?.data, upload);

  await put(call, upload, 0, bytes);
  const progress = await stream.next();
  assert.deepEqual([progress?.name, progress?.type], ['progress', 'cryolift.upload.progress']);
  assert.deepEqual(progress?.data, await readUploadRecord(call, upload));

  await putAll(call, upload, bytes);
  // Declared, so that the file has its digest when it is published, on every storage.
  const file = (await complete(call, upload, { sha256: sha256Hex(bytes) })).json<FileRecord>();
  const received = await stream.rest();
  const states = received.filter(({ name }) => name === 'state');
  assert.deepEqual(states.map(kindOf), ['upload.verifying', 'upload.completed']);
  assert.equal(received.at(-1), states.at(-1), 'nothing follows the end');
  assert.deepEqual(states.at(-1)?.data, { ...(await readUploadRecord(call, upload)), file });
  assert.equal(states.at(-1)?.data.file_id, file.file_id);
  assert.ok(received.length - states.length <= 6, 'one progress a part at most');
});

test('events: many parts in a short time give few events', async () => {
  const { call, listen } = newOwner();
  const { upload, bytes } = await openSample(call, 120);
  const stream = await listen(pathOf(upload));
  await Promise.all(
    [0, 1, 2, 3].map(async (first) => {
      for (let idx = first; idx < 120; idx += 4) await put(call, upload, idx, bytes);
    }),
  );
  const received = await stream.until(({ data }) => data.received_parts === 120);
  assert.ok(received.length < 60, `${received.length} events for 120 parts`);
  const counts = received.map(({ data }) => data.received_parts);
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
    'progress goes forward',
  );
  stream.close();
});

test('an upload that has ended: how it ended, and the end of the stream', async () => {
  const { call, listen } = newOwner();
  const upload = await open(call);
  await call('DELETE', `/uploads/${upload.upload_id}`);
  const received = await (await listen(pathOf(upload))).rest();
  assert.deepEqual(
    received.map(({ name, data }) => [name, data.status]),
    [['state', 'cancelled']],
  );
});

test('events: a failed upload says why', async () => {
  const { call, listen } = newOwner();
  const { upload, bytes } = await openSample(call, 2, { sha256: '0'.repeat(64) });
  const stream = await listen(pathOf(upload));
  await putAll(call, upload, bytes);
  assertFailure(await complete(call, upload), 'file_checksum_mismatch');
  const last = (await stream.rest()).at(-1);
  assert.deepEqual([last && kindOf(last), last?.data.failure?.code], ['upload.failed', 'file_checksum_mismatch']);
});

test('events: Last-Event-ID gets missed events in order, and the current state', async () => {
  const { call, listen } = newOwner();
  const { upload, bytes } = await openSample(call, 2);
  const stream = await listen(pathOf(upload));
  await stream.next();
  stream.close();
  await putAll(call, upload, bytes);
  await complete(call, upload);
  const missed = await (await listen(pathOf(upload), stream.lastId)).rest();
  assert.deepEqual(missed.map(kindOf), ['upload.verifying', 'upload.completed']);
  const all = await (await listen(pathOf(upload), '0')).rest();
  assert.deepEqual(all.map(kindOf), ['upload.created', 'upload.verifying', 'upload.completed']);
  assert.deepEqual(all.slice(1), missed, 'the same event is the same, whenever it is read');
});

test('all of an owner: uploads and files, and nobody else’s', async () => {
  const { claims, call, listen } = newOwner();
  const before = await open(call);
  const stream = await listen();
  await open(newOwner().call);
  const { file_id, upload_id } = await publish(call, makeMrc(2000));
  await call('DELETE', `/uploads/${before.upload_id}`);
  await call('DELETE', `/files/${file_id}`);
  const received = await stream.until((each) => kindOf(each) === 'file.deleted');
  stream.close();
  // The analysis may run before or after the deletion.
  const kept = received
    .filter(({ name }) => name !== 'progress' && name !== 'preview')
    .map((each) => `${kindOf(each)} ${each.subject}`);
  assert.deepEqual(kept, [
    `upload.created uploads/${upload_id}`,
    `upload.verifying uploads/${upload_id}`,
    `upload.completed uploads/${upload_id}`,
    `file.published files/${file_id}`,
    ...(HAS_LATE_DIGESTS ? [`file.digest_ready files/${file_id}`] : []),
    `upload.cancelled uploads/${before.upload_id}`,
    `file.deleted files/${file_id}`,
  ]);
  const record = received.at(-1)?.data as unknown as FileRecord | undefined;
  assert.equal(record?.file_id, file_id);

  // A token without access to files gets events of uploads only.
  const blind = await EventStream.open<UploadRecord>(server, '/events', { ...claims, scope: 'uploads:write' }, '0');
  const another = await open(call);
  const visible = await blind.until(({ subject }) => subject === `uploads/${another.upload_id}`);
  blind.close();
  assert.ok(!visible.some(({ subject }) => subject.startsWith('files/')));
  assert.ok(visible.some(({ type }) => type === 'cryolift.upload.completed'));
});

test('events: streams are for those who may see the upload', async () => {
  const { call } = newOwner();
  const upload = await open(call);
  const path = pathOf(upload);
  assertFailure(await newOwner().call('GET', path), 'upload_not_found');
  assertFailure(await call('GET', '/uploads/none/events'), 'upload_not_found');
  for (const each of [path, '/events']) {
    assertFailure(await callWith(server, {})('GET', each), 'unauthenticated');
    assertFailure(await callAs(server, { scope: 'files:read' })('GET', each), 'forbidden');
    const head = await call('HEAD', each);
    assert.deepEqual([head.status, head.headers['content-type']?.split(';')[0]], [200, 'text/event-stream']);
    for (const lastId of ['x', '-1', '1.5', '9'.repeat(30)]) {
      assertFailure(await call('GET', each, { headers: { 'last-event-id': lastId } }), 'invalid_request');
    }
  }
  const admin = await EventStream.open<UploadRecord>(server, path, { scope: 'admin' });
  assert.equal((await admin.next())?.data.upload_id, upload.upload_id);
  admin.close();
});

test('events: a stream ends with its token', async () => {
  const { claims, call } = newOwner();
  const upload = await open(call);
  const stream = await EventStream.open<UploadRecord>(server, pathOf(upload), { ...claims, ttlSeconds: 2 });
  assert.equal((await stream.rest()).length, 1);
});

test('events: a connection carries other requests after a stream has ended', async () => {
  const { claims, call } = newOwner();
  const upload = await open(call);
  const headers = { authorization: `Bearer ${server.token(claims)}` };
  const connection = await Connection.open(server.url);
  const streaming = connection.exchange('GET', pathOf(upload), { headers });
  await call('DELETE', `/uploads/${upload.upload_id}`);
  assert.match((await streaming).body.toString(), /"status":"cancelled"/);
  assert.equal((await connection.exchange('GET', '/uploads', { headers })).status, 200);
  connection.close();
});

test('events: an owner may have 32 streams; a closed stream frees a slot', async () => {
  const { claims, call, listen } = newOwner();
  const streams = await Promise.all(Array.from({ length: 32 }, () => listen()));
  assertFailure(await call('GET', '/events'), 'rate_limited');
  const other = await newOwner().listen();
  other.close();
  streams[5]?.close();
  const reopened = await eventually(
    async () => await EventStream.open<UploadRecord>(server, '/events', claims).catch(() => null),
    (stream) => stream !== null,
  );
  for (const stream of [...streams, reopened]) stream?.close();
});

test('events: a stop ends the streams at once, also that of a reader who takes nothing', async () => {
  const own = await startServer();
  const claims = { sub: 'ada' };
  const call = callAs(own, claims);
  // Each of these characters is six in JSON, so that 10 MB of events wait: more than a connection takes by itself.
  const metadata = { note: '\u0001'.repeat(4000) };
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 50; round++) {
        const { upload_id } = await open(call, { metadata });
        await call('DELETE', `/uploads/${upload_id}`);
      }
    }),
  );
  const upload = await open(call);
  const reading = await EventStream.open<UploadRecord>(own, pathOf(upload), claims);
  await reading.next();
  const stuck = await EventStream.open<UploadRecord>(own, '/events', claims, '0');
  // Rounds of the server's loop in which it sends what the connection takes.
  for (let round = 0; round < 200; round++) await call('GET', '/healthz');
  // That it does not wait for them as long as for parts: server.test.ts.
  assert.equal(await own.stop(), 0);
  assert.equal(await reading.next(), null);
  await assert.rejects(stuck.rest());
  await own.discard();
});

test('events: after kill -9 no change of state is lost, repeated or invented', async () => {
  const own = await startServer();
  const claims = { sub: 'survivor' };
  const received: ReceivedEvent<UploadRecord>[] = [];
  let lastId = '0';
  /** Listens until the server dies, or for good when that is what was asked for. */
  const listen = async (isEnough: () => boolean = () => false) => {
    const stream = await EventStream.open<UploadRecord>(own, '/events', claims, lastId);
    try {
      while (!isEnough()) {
        const event = await stream.next();
        if (!event) break;
        if (event.name === 'state') received.push(event);
        lastId = stream.lastId;
      }
    } finally {
      stream.close();
    }
  };

  for (const killAfter of [5, 17, 29]) {
    const listening = listen().catch(() => {});
    const call = callAs(own, claims);
    const enough = Promise.withResolvers<void>();
    let done = 0;
    const work = async (worker: number) => {
      for (let round = 0; ; round++) {
        const { upload, bytes } = await openSample(call, 2);
        await putAll(call, upload, bytes);
        if ((worker + round) % 3 === 0) await call('DELETE', `/uploads/${upload.upload_id}`);
        else await complete(call, upload);
        if (++done === killAfter) enough.resolve();
      }
    };
    const workers = Promise.allSettled([0, 1, 2, 3].map(work));
    await enough.promise;
    await own.kill9();
    await workers;
    await listening;
    await own.restart();
  }

  const uploads = await settle(own, claims);
  const expected = uploads.map(({ upload_id, status }) => [upload_id, HISTORIES[status]]);
  const count = uploads.reduce((sum, { status }) => sum + (HISTORIES[status]?.length ?? 0), 0);
  await listen(() => received.length >= count);
  const histories = Map.groupBy(received, ({ data }) => data.upload_id);
  assert.deepEqual([...histories].map(([id, events]) => [id, events.map(kindOf)]).sort(), expected.sort());
  const seqs = received.map(({ seq }) => Number(seq));
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
  );
  await own.discard();
});

/** The events of an upload up to a state. */
const HISTORIES: Readonly<Partial<Record<UploadRecord['status'], readonly string[]>>> = {
  pending: ['upload.created'],
  uploading: ['upload.created'],
  completed: ['upload.created', 'upload.verifying', 'upload.completed'],
  cancelled: ['upload.created', 'upload.cancelled'],
};

/** The uploads of an owner, once none is being verified any more. */
async function settle(own: OwnServer, claims: { sub: string }): Promise<UploadRecord[]> {
  return await eventually(
    async () => (await callAs(own, claims)('GET', '/uploads?limit=1000')).json<{ items: UploadRecord[] }>().items,
    (items) => items.every(({ status }) => status !== 'verifying'),
  );
}
