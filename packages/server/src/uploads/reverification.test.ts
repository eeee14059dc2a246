import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { findMissing } from '../db/parts.ts';
import { noteBoot } from '../db/server-state.ts';
import { moveSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { completeUpload } from './completion.ts';
import { findUpload } from './lookup.ts';
import {
  beginTestPart,
  bytesOf,
  cutOffPublish,
  loseStaged,
  makeRoom,
  openSession,
  readRow,
  sendPart,
  type TestRoom,
} from './test-uploads.ts';
import { toPlace, toStaged } from './upload-record.ts';

/** As after a power loss: every live session is marked when the server starts in another boot. */
async function reboot(room: TestRoom): Promise<void> {
  await noteBoot(room.db, 'before');
  await noteBoot(room.db, 'after');
}

async function spoil(room: TestRoom, row: UploadRow, offset: number): Promise<void> {
  const file = await open(room.stagedPath(row.id), 'r+');
  await file.write(Uint8Array.of(0xff), 0, 1, offset);
  await file.close();
}

async function sendAll(room: TestRoom, row: UploadRow): Promise<void> {
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
}

async function complete(room: TestRoom, row: UploadRow) {
  const done = await completeUpload(room, { owner: row.owner }, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  return done.file;
}

test('after a power loss only the damaged part is asked for again', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  for (const idx of [0, 1, 2, 9]) await sendPart(room, row, idx);
  await reboot(room);
  await spoil(room, row, 950 - 1);
  const found = await findUpload(room, { owner: 'ada' }, row.id);
  assert.deepEqual([found.must_recheck, found.received_parts, found.received_bytes], [0, 3, 300]);
  assert.deepEqual((await findMissing(room.db, found)).ranges, [[3, 9]]);
});

test('what was asked for again completes to the right file', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  const whole = await openSession(room);
  for (const each of [row, whole]) await sendAll(room, each);
  await reboot(room);
  await spoil(room, row, 100);
  await spoil(room, row, 500);
  const found = await findUpload(room, { owner: 'ada' }, row.id);
  assert.deepEqual((await findMissing(room.db, found)).ranges, [
    [1, 1],
    [5, 5],
  ]);
  for (const idx of [1, 5]) await sendPart(room, row, idx);
  assert.deepEqual((await complete(room, row)).sha256, (await complete(room, whole)).sha256);
});

test('a session whose staging file vanished is asked for every part', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendPart(room, row, 0);
  await sendPart(room, row, 4);
  await reboot(room);
  // Also closes it, as the end of the process did.
  await room.store.discard(row.id);
  const found = await findUpload(room, { owner: 'ada' }, row.id);
  assert.deepEqual([found.received_parts, found.received_bytes, found.status], [0, 0, 'uploading']);
  await sendAll(room, row);
  assert.equal((await complete(room, row)).size, 950);
});

test('a staging file that cannot be read at the moment loses no part', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendPart(room, row, 0);
  await reboot(room);
  await loseStaged(room, row.id);
  // A loop of links: neither "not there" nor bytes, like a folder that is not mounted yet or too many open files.
  await symlink(room.stagedPath(row.id), room.stagedPath(row.id));
  await findUpload(room, { owner: 'ada' }, row.id).catch(() => {});
  const after = await readRow(room, row.id);
  assert.deepEqual([after.received_parts, after.must_recheck], [1, 1]);
});

test('a verifying session whose file was published already keeps its parts and is completed', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendAll(room, row);
  await cutOffPublish(room, row);
  await reboot(room);
  const found = await findUpload(room, { owner: 'ada' }, row.id);
  assert.deepEqual([found.status, found.must_recheck, found.received_parts], ['verifying', 0, 10]);
  assert.equal((await complete(room, row)).id, 'f1');
  assert.equal((await readRow(room, row.id)).status, 'completed');
});

test('a verifying session with a damaged part takes parts again', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendAll(room, row);
  await moveSession(room.db, row.id, 'complete', 2000, { file_id: 'f1' });
  await reboot(room);
  await spoil(room, row, 0);
  const found = await findUpload(room, { owner: 'ada' }, row.id);
  assert.deepEqual([found.status, found.received_parts], ['uploading', 9]);
  assert.equal((await sendPart(room, row, 0)).deduplicated, false);
  assert.equal((await complete(room, row)).size, 950);
});

test('the whole digest is that of the bytes that came in place of the damaged ones', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendAll(room, row);
  // The digest of the first bytes is known by now.
  await room.store.digestWhole(toStaged(row), toPlace(row, 'f'));
  await spoil(room, row, 0);
  await room.rechecks.run(room, row);
  const begun = await beginTestPart(room, row, 0);
  assert.ok(begun.kind === 'receiving');
  begun.reception.write(Buffer.alloc(100, 77));
  await begun.reception.commit();
  const hash = createHash('sha256').update(Buffer.alloc(100, 77));
  for (let idx = 1; idx < row.part_count; idx++) hash.update(bytesOf(row, idx));
  assert.deepEqual(Buffer.from((await complete(room, row)).sha256), hash.digest());
});

test('an upload whose bytes are gone when it is verified does not stay half-open', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendAll(room, row);
  await room.store.discard(row.id);
  await assert.rejects(complete(room, row), UploadError);
  assert.notEqual((await readRow(room, row.id)).status, 'verifying');
});

test('requests that come during a verification share it', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendAll(room, row);
  await reboot(room);
  await spoil(room, row, 0);
  const found = await Promise.all([1, 2, 3].map(() => findUpload(room, { owner: 'ada' }, row.id)));
  assert.deepEqual(
    found.map((each) => [each.received_parts, each.received_bytes]),
    [1, 2, 3].map(() => [9, 850]),
  );
});

test('parts whose file vanishes while the server runs are taken back, and sent again make the right file', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  // Long ago, so that the store has closed the file.
  await sendPart(room, row, 0);
  await sendPart(room, row, 1);
  await room.store.discard(row.id);
  await assert.rejects(
    sendPart(room, row, 2),
    (error) => error instanceof UploadError && error.code === 'storage_unavailable',
  );
  assert.equal((await readRow(room, row.id)).received_parts, 0);
  const other = await openSession(room);
  await sendAll(room, other);
  await sendAll(room, row);
  assert.deepEqual((await complete(room, row)).sha256, (await complete(room, other)).sha256);
});
