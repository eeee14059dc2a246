/** A disk that lost written bytes while the database cannot be written. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { sql } from 'kysely';
import type { UploadRow } from '../../db/tables.ts';
import { findMissing } from '../../db/uploads/parts.ts';
import { mountUnflushable, withLoopDevice } from '../../storage/disk/test-disk.ts';
import { completeUpload, resumeVerifying } from '../completion.ts';
import {
  beginTestPart,
  bytesOf,
  cutOffPublish,
  insertUpload,
  makeUploads,
  readRow,
  restartUploads,
  sendPart,
  type TestUploads,
} from '../test-uploads.ts';
import { toStaged } from '../upload-record.ts';
import { invalidateAll } from './invalidation.ts';

const MIB = 1024 * 1024;
const ada = { owner: 'ada' };

/** Another connection holds the write lock. @returns a function that releases it. */
async function blockDatabase(t: TestContext, context: TestUploads): Promise<() => void> {
  const { rows } = await sql<{ file: string }>`pragma database_list`.execute(context.db);
  const other = new DatabaseSync(String(rows[0]?.file), { timeout: 60_000 });
  other.exec('BEGIN IMMEDIATE');
  t.after(() => other.isOpen && other.close());
  return () => other.close();
}

async function sendAll(context: TestUploads, row: UploadRow): Promise<void> {
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
}

async function settleDoubt(context: TestUploads, id: string): Promise<void> {
  while (context.doubtful.has(id)) await delay(20);
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function complete(context: TestUploads, row: UploadRow) {
  return completeUpload(context, ada, row.id, undefined, 'r');
}

const isRefused = (error: unknown) => error instanceof UploadError && error.code === 'storage_unavailable';

test('in doubt: an upload is not completed and accepts no parts until its parts are invalidated', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (let idx = 0; idx < 9; idx++) await sendPart(context, row, idx);
  const started = await beginTestPart(context, row, 9);
  assert.ok(started.kind === 'receiving');
  await started.receiver.write(bytesOf(row, 9));
  const errors: string[] = [];
  Object.assign(context.log, { error: (_fields: unknown, message: string) => errors.push(message) });
  const unblock = await blockDatabase(t, context);
  context.doubtful.note(row.id);
  // The part under way, a stored one that comes again, and complete.
  await assert.rejects(started.receiver.commit(), UploadError);
  await assert.rejects(sendPart(context, row, 0), isRefused);
  await assert.rejects(complete(context, row), isRefused);
  // SQLite waits for five seconds before it says that it cannot write.
  while (errors.length === 0) await delay(50);
  assert.deepEqual([context.doubtful.has(row.id), (await readRow(context, row.id)).received_parts], [true, 9]);
  await assert.rejects(complete(context, row), isRefused);
  unblock();
  await settleDoubt(context, row.id);
  const now = await readRow(context, row.id);
  assert.deepEqual((await findMissing(context.db, now)).ranges, [[0, 9]]);
  await sendAll(context, row);
  assert.equal((await complete(context, row)).kind, 'completed');
});

test('in doubt: an upload in completion is not published, and completes after it was sent again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  await cutOffPublish(context, row);
  context.doubtful.note(row.id);
  await resumeVerifying(context);
  await settleDoubt(context, row.id);
  assert.deepEqual(await context.storage.files.list(), []);
  const now = await readRow(context, row.id);
  assert.deepEqual([now.status, now.received_parts], ['uploading', 0]);
  await sendAll(context, row);
  assert.equal((await complete(context, row)).kind, 'completed');
});

test('in doubt: a request to complete that waited meanwhile is answered which parts are missing', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  let completing: ReturnType<typeof complete> | undefined;
  await context.attempts.exclude(row.id, async () => {
    completing = complete(context, row);
    completing.catch(() => {});
    while ((await readRow(context, row.id)).status !== 'verifying') await delay(1);
    await invalidateAll(context, row.id);
  });
  await assert.rejects(completing as Promise<unknown>, { code: 'upload_incomplete' });
  await sendAll(context, row);
  assert.equal((await complete(context, row)).kind, 'completed');
});

test('in doubt: an upload in its publish gets no record', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  const { storage } = context;
  const { uploads } = storage;
  const publish = uploads.publish.bind(uploads);
  // The last flush is reported while the file is being moved.
  const publishInDoubt: typeof publish = async (upload, file) => {
    await publish(upload, file);
    context.doubtful.note(upload.id);
  };
  Object.assign(uploads, { publish: publishInDoubt });
  await assert.rejects(complete(context, row), isRefused);
  await settleDoubt(context, row.id);
  assert.deepEqual(await storage.files.list(), []);
  assert.deepEqual([(await readRow(context, row.id)).status, await storage.uploads.list()], ['uploading', []]);
  Object.assign(uploads, { publish });
  await sendAll(context, row);
  assert.equal((await complete(context, row)).kind, 'completed');
});

test('in doubt: after a failed flush without a writable database, no process uses the cache', {
  ...withLoopDevice,
  timeout: 120_000,
}, async (t) => {
  const before = await makeUploads(t, await mountUnflushable(t));
  const size = 40 * MIB;
  const row = await insertUpload(before, { status: 'uploading', size, part_size: 8 * MIB, part_count: 5 });
  await recordAll(before, row);
  const full = await readRow(before, row.id);
  const unblock = await blockDatabase(t, before);
  for (let idx = 0; idx < row.part_count; idx++) {
    // As `beginPart` does: what invalidates the parts closes no descriptor under a write.
    const attempt = await before.attempts.begin(row.id, idx);
    const extent = { offset: idx * row.part_size, length: row.part_size };
    const sink = await before.storage.uploads.openSink(toStaged(full), extent, null);
    // A flush may have failed already.
    if (sink === 'lost') {
      attempt.release();
      break;
    }
    await sink.write(bytesOf(row, idx));
    assert.deepEqual(Buffer.from((await sink.commit()).sha256), sha256Of(bytesOf(row, idx)));
    attempt.release();
  }
  while (!before.doubtful.has(row.id)) await delay(20);
  await assert.rejects(complete(before, row), isRefused);
  while (await isThere(before.stagedPath(row.id))) await delay(20);
  before.doubtful.stop();
  const context = await restartUploads(t, before);
  unblock();
  assert.equal((await readRow(context, row.id)).received_parts, 5);
  await assert.rejects(complete(context, row), (error) => {
    assert.ok(error instanceof UploadError, String(error));
    assert.deepEqual([error.code, error.details?.missing_parts], ['upload_incomplete', [[0, 4]]]);
    return true;
  });
});

/** Rows of all parts, as they were committed. */
async function recordAll(context: TestUploads, row: UploadRow): Promise<void> {
  const parts = Array.from({ length: row.part_count }, (_, idx) => ({
    upload_id: row.id,
    idx,
    sha256: sha256Of(bytesOf(row, idx)),
    stored_at: 1,
  }));
  await context.db.insertInto('parts').values(parts).execute();
  await context.db.updateTable('uploads').set({ received_parts: row.part_count, received_bytes: row.size }).execute();
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
