import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { noteBoot } from '../../db/server-state.ts';
import type { UploadRow } from '../../db/tables.ts';
import { findMissing } from '../../db/uploads/parts.ts';
import { moveUploadRow } from '../../db/uploads/uploads.ts';
import { completeUpload } from '../completion.ts';
import { findUpload } from '../lookup.ts';
import {
  beginTestPart,
  bytesOf,
  cutOffPublish,
  insertUpload,
  loseStaged,
  makeUploads,
  readRow,
  sendPart,
  type TestUploads,
} from '../test-uploads.ts';
import { toPlace, toStaged } from '../upload-record.ts';
import { reverify } from './reverification.ts';

/** As after a power loss: every live upload is marked when the server starts in another boot. */
async function reboot(context: TestUploads): Promise<void> {
  await noteBoot(context.db, 'before');
  await noteBoot(context.db, 'after');
}

async function spoil(context: TestUploads, row: UploadRow, offset: number): Promise<void> {
  const file = await open(context.stagedPath(row.id), 'r+');
  await file.write(Uint8Array.of(0xff), 0, 1, offset);
  await file.close();
}

async function sendAll(context: TestUploads, row: UploadRow): Promise<void> {
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
}

async function complete(context: TestUploads, row: UploadRow) {
  const done = await completeUpload(context, { owner: row.owner }, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  return done.file;
}

// Invariant 2
test('re-verification: after a power loss only the damaged part is missing', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (const idx of [0, 1, 2, 9]) await sendPart(context, row, idx);
  await reboot(context);
  await spoil(context, row, 950 - 1);
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual([found.must_recheck, found.received_parts, found.received_bytes], [0, 3, 300]);
  assert.deepEqual((await findMissing(context.db, found)).ranges, [[3, 9]]);
});

test('re-verification: the upload completes to the right file after the part was sent again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  const whole = await insertUpload(context);
  for (const each of [row, whole]) await sendAll(context, each);
  await reboot(context);
  await spoil(context, row, 100);
  await spoil(context, row, 500);
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual((await findMissing(context.db, found)).ranges, [
    [1, 1],
    [5, 5],
  ]);
  for (const idx of [1, 5]) await sendPart(context, row, idx);
  assert.deepEqual((await complete(context, row)).sha256, (await complete(context, whole)).sha256);
});

test('re-verification: without its staging file an upload needs every part again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendPart(context, row, 0);
  await sendPart(context, row, 4);
  await reboot(context);
  // Also closes it, as the end of the process did.
  await context.storage.uploads.discard(toStaged(row));
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual([found.received_parts, found.received_bytes, found.status], [0, 0, 'uploading']);
  await sendAll(context, row);
  assert.equal((await complete(context, row)).sizeBytes, 950);
});

test('re-verification: a temporary read error invalidates no part', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendPart(context, row, 0);
  await reboot(context);
  await loseStaged(context, row.id);
  // A loop of links: neither "not there" nor bytes, like a folder that is not mounted yet or too many open files.
  await symlink(context.stagedPath(row.id), context.stagedPath(row.id));
  await findUpload(context, { owner: 'ada' }, row.id).catch(() => {});
  const after = await readRow(context, row.id);
  assert.deepEqual([after.received_parts, after.must_recheck], [1, 1]);
});

test('re-verification: an upload in verification whose file was published is completed', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  await cutOffPublish(context, row);
  await reboot(context);
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual([found.status, found.must_recheck, found.received_parts], ['verifying', 0, 10]);
  assert.equal((await complete(context, row)).id, 'f1');
  assert.equal((await readRow(context, row.id)).status, 'completed');
});

test('re-verification: an upload in verification with a damaged part accepts parts again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: 'f1' });
  await reboot(context);
  await spoil(context, row, 0);
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual([found.status, found.received_parts], ['uploading', 9]);
  assert.equal((await sendPart(context, row, 0)).deduplicated, false);
  assert.equal((await complete(context, row)).sizeBytes, 950);
});

test('re-verification: the whole-file digest uses the bytes that replaced the damaged ones', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  // The digest of the first bytes is known by now.
  await context.storage.uploads.digest(toStaged(row), toPlace(row, 'f'));
  await spoil(context, row, 0);
  await reverify(context, row);
  const started = await beginTestPart(context, row, 0);
  assert.ok(started.kind === 'receiving');
  started.receiver.write(Buffer.alloc(100, 77));
  await started.receiver.commit();
  const hash = createHash('sha256').update(Buffer.alloc(100, 77));
  for (let idx = 1; idx < row.part_count; idx++) hash.update(bytesOf(row, idx));
  assert.deepEqual(Buffer.from((await complete(context, row)).sha256 ?? []), hash.digest());
});

test('re-verification: an upload without bytes ends in a consistent state', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  await context.storage.uploads.discard(toStaged(row));
  await assert.rejects(complete(context, row), UploadError);
  assert.notEqual((await readRow(context, row.id)).status, 'verifying');
});

test('re-verification: concurrent requests share one run', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  await reboot(context);
  await spoil(context, row, 0);
  const found = await Promise.all([1, 2, 3].map(() => findUpload(context, { owner: 'ada' }, row.id)));
  assert.deepEqual(
    found.map((each) => [each.received_parts, each.received_bytes]),
    [1, 2, 3].map(() => [9, 850]),
  );
});

test('re-verification: parts of a file that vanishes are invalidated, and complete after they were sent again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  // Long ago, so that the store has closed the file.
  await sendPart(context, row, 0);
  await sendPart(context, row, 1);
  await context.storage.uploads.discard(toStaged(row));
  await assert.rejects(
    sendPart(context, row, 2),
    (error) => error instanceof UploadError && error.code === 'storage_unavailable',
  );
  assert.equal((await readRow(context, row.id)).received_parts, 0);
  const other = await insertUpload(context);
  await sendAll(context, other);
  await sendAll(context, row);
  assert.deepEqual((await complete(context, row)).sha256, (await complete(context, other)).sha256);
});
