/** A server that was stopped for longer than its lease, and goes on when another one has done its work. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../db/tables.ts';
import { listPieces } from '../db/uploads/pieces.ts';
import { Leases } from '../leases/leases.ts';
import { SingleFlight } from '../single-flight.ts';
import type { Storage } from '../storage/storage.ts';
import type { UploadStorage } from '../storage/upload-storage.ts';
import { beginAppend } from './append/append.ts';
import { createAppended } from './append/creation.ts';
import { cancelUpload } from './cancellation.ts';
import { completeUpload } from './completion.ts';
import type { UploadContext } from './context.ts';
import { LeasedAttempts } from './parts/leased-attempts.ts';
import {
  beginTestPart,
  bytesOf,
  insertUpload,
  makeUploads,
  readRow,
  sendPart,
  type TestUploads,
} from './test-uploads.ts';
import { reverify } from './verification/reverification.ts';

const ada = { owner: 'ada' };
const isTakenOver = (error: unknown) => error instanceof UploadError && error.code === 'overloaded';

/** Calls of the storage in the order in which they came, and one that waits. */
interface Stopped {
  readonly context: UploadContext;
  /** Resolves when the server has come to its call. */
  readonly reached: Promise<void>;
  resume(): void;
  /** Of this server, after it went on. */
  readonly calls: string[];
}

/** Another server on the same database and storage. */
function openServer(t: TestContext, base: TestUploads): UploadContext {
  const times = { ttlMs: 60_000, renewMs: 60_000, pollMs: 60_000 };
  const leases = new Leases(base.db, base.newId, { warn() {} }, times);
  t.after(() => leases.stop());
  return {
    ...base,
    attempts: new LeasedAttempts(base.db, leases),
    completions: new SingleFlight(),
    reverifications: new SingleFlight(),
  };
}

/** A server that stops before its first call of this function of the storage. */
function openStopped(t: TestContext, base: TestUploads, stopsAt: keyof UploadStorage): Stopped {
  const reached = Promise.withResolvers<void>();
  const resumed = Promise.withResolvers<void>();
  const calls: string[] = [];
  let isStopped = false;
  const uploads = new Proxy(base.storage.uploads, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      if (name === 'fileIdOf') return call;
      return async (...args: unknown[]) => {
        if (name === stopsAt && !isStopped) {
          isStopped = true;
          reached.resolve();
          await resumed.promise;
        } else if (isStopped) calls.push(String(name));
        return await call(...args);
      };
    },
  });
  const storage = new Proxy(base.storage, {
    get(target, name) {
      if (name === 'uploads') return uploads;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const context = { ...openServer(t, base), storage: storage as Storage };
  return { context, reached: reached.promise, resume: resumed.resolve, calls };
}

async function expireLeases({ db }: TestUploads): Promise<void> {
  await db.updateTable('leases').set({ expires_at: 0 }).execute();
}

async function insertWhole(context: TestUploads, changes: Partial<UploadRow> = {}): Promise<UploadRow> {
  const row = await insertUpload(context, changes);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  return row;
}

async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20);
}

const complete = (context: UploadContext, row: UploadRow) => completeUpload(context, ada, row.id, undefined, 'r');

// Invariant 3
for (const stopsAt of ['assemble', 'digest', 'publish'] as const) {
  test(`lost lease: a server that stopped before ${stopsAt} leaves what another one has published`, async (t) => {
    const base = await makeUploads(t);
    const row = await insertWhole(base);
    const stopped = openStopped(t, base, stopsAt);
    const late = complete(stopped.context, row);
    await stopped.reached;
    await expireLeases(base);
    const done = await complete(openServer(t, base), row);
    assert.ok(done.kind === 'completed');
    stopped.resume();
    await assert.rejects(late, isTakenOver);
    assert.equal((await readRow(base, row.id)).status, 'completed');
    assert.equal(await base.storage.files.stat(done.file.place), row.size);
    const undone = ['publish', 'withdraw', 'discard', 'renew'];
    assert.ok(!stopped.calls.some((name) => undone.includes(name)), stopped.calls.join());
  });
}

test('lost lease: an upload that another server has opened again is not failed, and nothing of it removed', async (t) => {
  const base = await makeUploads(t);
  const row = await insertWhole(base, { sha256: new Uint8Array(32) });
  const stopped = openStopped(t, base, 'digest');
  const late = complete(stopped.context, row);
  await stopped.reached;
  await expireLeases(base);
  // The other server found a part missing.
  await openServer(t, base).attempts.exclude(row.id, async () => {
    await base.db.deleteFrom('parts').where('idx', '=', 3).execute();
    await base.db.updateTable('uploads').set({ status: 'uploading', received_parts: 9 }).execute();
  });
  stopped.resume();
  await assert.rejects(late, isTakenOver);
  assert.equal((await readRow(base, row.id)).status, 'uploading');
  assert.ok(!stopped.calls.includes('withdraw'));
  assert.equal((await sendPart(base, row, 3)).received_parts, 10);
});

// Invariant 2
test('lost lease: parts that were sent since are not invalidated by an older re-verification', async (t) => {
  const base = await makeUploads(t);
  const row = await insertWhole(base);
  const { attempts } = base;
  await base.storage.uploads.discard({ id: row.id, filename: row.filename, ref: null });
  const stopped = openStopped(t, base, 'renew');
  const other = openServer(t, base);
  // It has found all parts lost.
  const first = reverify(stopped.context, row);
  await stopped.reached;
  assert.equal((await readRow(base, row.id)).received_parts, 0);
  stopped.resume();
  await first;
  const again = openStopped(t, base, 'findLost');
  const late = reverify(again.context, row);
  await again.reached;
  await expireLeases(base);
  await reverify(other, row);
  assert.equal((await sendPart(other, row, 0)).received_parts, 1);
  await base.storage.uploads.discard({ id: row.id, filename: row.filename, ref: null });
  again.resume();
  await assert.rejects(late, isTakenOver);
  assert.equal((await readRow(base, row.id)).received_parts, 1);
  assert.ok(attempts);
});

test('lost lease: a part is not recorded, and its sender learns the outcome of the newer one', async (t) => {
  const base = await makeUploads(t);
  const row = await insertUpload(base);
  const [one, two] = [openServer(t, base), openServer(t, base)];
  const older = await beginTestPart(one, row, 0);
  assert.ok(older.kind === 'receiving');
  await older.receiver.write(bytesOf(row, 0));
  await expireLeases(base);
  const newer = await beginTestPart(two, row, 0);
  assert.ok(newer.kind === 'receiving');
  const late = older.receiver.commit();
  await sleep(300);
  assert.equal((await readRow(base, row.id)).received_parts, 0);
  const other = Buffer.alloc(100, 77);
  await newer.receiver.write(other);
  assert.equal((await newer.receiver.commit()).deduplicated, false);
  await assert.rejects(late, (error) => error instanceof UploadError && error.code === 'part_conflict');
  assert.deepEqual([one.attempts.count, two.attempts.count], [0, 0]);
});

// Invariant 4
test('lost lease: the bytes of an append are not recorded', async (t) => {
  const base = await makeUploads(t);
  const one = openServer(t, base);
  const draft = { filename: 'a.bin', metadata: {}, sha256: null, protocol: 'tus' as const, rawMetadata: null };
  const { uploadId } = await createAppended(one, 'ada', { ...draft, sizeBytes: 950, isPartial: false }, null);
  const { uploads } = base.storage;
  const openSink = uploads.openSink.bind(uploads);
  const openAndLose: typeof openSink = async (upload, extent, digest) => {
    const sink = await openSink(upload, extent, digest);
    assert.ok(sink !== 'lost');
    const commit = sink.commit.bind(sink);
    // The server is stopped when it has written the bytes.
    return Object.assign(sink, {
      commit: async () => {
        const committed = await commit();
        await base.db.deleteFrom('leases').execute();
        return committed;
      },
    });
  };
  Object.assign(uploads, { openSink: openAndLose });
  const request = { uploadId, offset: 0, lengthBytes: 50, checksum: null, requestId: 'r' };
  const receiver = await beginAppend(one, ada, request);
  await receiver.write(Buffer.alloc(50, 1));
  await assert.rejects(receiver.commit(), isTakenOver);
  assert.deepEqual(await listPieces(base.db, uploadId), []);
});

test('lost lease: cancelling at one server ends the part that another one receives', async (t) => {
  const base = await makeUploads(t);
  const row = await insertUpload(base);
  const [one, two] = [openServer(t, base), openServer(t, base)];
  const part = await beginTestPart(one, row, 0);
  assert.ok(part.kind === 'receiving');
  await part.receiver.write(bytesOf(row, 0).subarray(0, 50));
  const cancelled = cancelUpload(two, ada, row.id);
  await eventually(async () =>
    Boolean(await base.db.selectFrom('leases').select('name').where('successor', 'is not', null).executeTakeFirst()),
  );
  // As the server does that finds by its poll, or by a notification, that its lease is asked for.
  await part.receiver.abort();
  await cancelled;
  assert.equal((await readRow(base, row.id)).status, 'cancelled');
  assert.deepEqual(await base.storage.uploads.list(), []);
});

test('an upload that ended while it was published: its bytes are removed, those of a live one are not', async (t) => {
  const base = await makeUploads(t);
  for (const [ended, isKept, code] of [
    ['failed', false, 'upload_closed'],
    ['uploading', true, 'upload_incomplete'],
  ] as const) {
    const row = await insertWhole(base);
    const stopped = openStopped(t, base, 'publish');
    const late = complete(stopped.context, row);
    await stopped.reached;
    await base.db.updateTable('uploads').set({ status: ended }).where('id', '=', row.id).execute();
    stopped.resume();
    await assert.rejects(late, (error) => error instanceof UploadError && error.code === code);
    assert.equal((await base.storage.files.list()).length > 0, isKept, ended);
  }
});
