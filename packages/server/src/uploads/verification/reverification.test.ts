import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { findMissing } from '../../db/parts.ts';
import { noteBoot } from '../../db/server-state.ts';
import type { UploadRow } from '../../db/tables.ts';
import { moveUploadRow } from '../../db/uploads.ts';
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

/** As after a power loss: every live session is marked when the server starts in another boot. */
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
test('after a power loss only the damaged part is asked for again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (const idx of [0, 1, 2, 9]) await sendPart(context, row, idx);
  await reboot(context);
  await spoil(context, row, 950 - 1);
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual([found.must_recheck, found.received_parts, found.received_bytes], [0, 3, 300]);
  assert.deepEqual((await findMissing(context.db, found)).ranges, [[3, 9]]);
});

test('what was asked for again completes to the right file', async (t) => {
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

test('a session whose staging file vanished is asked for every part', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendPart(context, row, 0);
  await sendPart(context, row, 4);
  await reboot(context);
  // Also closes it, as the end of the process did.
  await context.storage.uploads.discard(row.id);
  const found = await findUpload(context, { owner: 'ada' }, row.id);
  assert.deepEqual([found.received_parts, found.received_bytes, found.status], [0, 0, 'uploading']);
  await sendAll(context, row);
  assert.equal((await complete(context, row)).sizeBytes, 950);
});

test('a staging file that cannot be read at the moment loses no part', async (t) => {
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

test('a verifying session whose file was published already keeps its parts and is completed', async (t) => {
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

test('a verifying session with a damaged part takes parts again', async (t) => {
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

test('the whole digest is that of the bytes that came in place of the damaged ones', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  // The digest of the first bytes is known by now.
  await context.storage.uploads.digest(toStaged(row), toPlace(row, 'f'));
  await spoil(context, row, 0);
  await reverify(context, row);
  const begun = await beginTestPart(context, row, 0);
  assert.ok(begun.kind === 'receiving');
  begun.receiver.write(Buffer.alloc(100, 77));
  await begun.receiver.commit();
  const hash = createHash('sha256').update(Buffer.alloc(100, 77));
  for (let idx = 1; idx < row.part_count; idx++) hash.update(bytesOf(row, idx));
  assert.deepEqual(Buffer.from((await complete(context, row)).sha256), hash.digest());
});

test('an upload whose bytes are gone when it is verified does not stay half-open', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendAll(context, row);
  await context.storage.uploads.discard(row.id);
  await assert.rejects(complete(context, row), UploadError);
  assert.notEqual((await readRow(context, row.id)).status, 'verifying');
});

test('requests that come during a verification share it', async (t) => {
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

test('parts whose file vanishes while the server runs are taken back, and sent again make the right file', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  // Long ago, so that the store has closed the file.
  await sendPart(context, row, 0);
  await sendPart(context, row, 1);
  await context.storage.uploads.discard(row.id);
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
