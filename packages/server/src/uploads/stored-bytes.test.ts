/** Stored bytes that vanish or change while the boot id stays the same: nothing but what was acknowledged is published. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, open, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { findMissing } from '../db/parts.ts';
import { moveSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { completeUpload, resumeVerifying } from './completion.ts';
import {
  bytesOf,
  cutOffPublish,
  makeRoom,
  openSession,
  readRow,
  restartRoom,
  sendPart,
  type TestRoom,
} from './test-uploads.ts';
import { toPlace, toStaged } from './upload-record.ts';

const ada = { owner: 'ada' };

function wholeOf(row: UploadRow): Buffer {
  return Buffer.concat(Array.from({ length: row.part_count }, (_, idx) => bytesOf(row, idx)));
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

async function sendParts(room: TestRoom, row: UploadRow, first = 0, end = row.part_count): Promise<void> {
  for (let idx = first; idx < end; idx++) await sendPart(room, row, idx);
}

/** As a file system leaves it that went down and came back: zeros where bytes were. */
async function loseRange(path: string, start: number, end: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(new Uint8Array(end - start), 0, end - start, start);
  await file.close();
}

/** Completes; it must be refused, naming exactly these parts, and the upload must take them. */
async function assertAskedAgain(room: TestRoom, row: UploadRow, ranges: [number, number][]): Promise<void> {
  await assert.rejects(completeUpload(room, ada, row.id, undefined, 'r'), (error) => {
    assert.ok(error instanceof UploadError, String(error));
    assert.deepEqual([error.code, error.details?.missing_parts], ['upload_incomplete', ranges]);
    return true;
  });
  const now = await readRow(room, row.id);
  assert.equal(now.status, 'uploading');
  assert.deepEqual((await findMissing(room.db, now)).ranges, ranges);
  assert.deepEqual(await readdir(join(room.folder, 'files')), []);
}

async function assertCompletes(room: TestRoom, row: UploadRow): Promise<void> {
  const done = await completeUpload(room, ada, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  assert.deepEqual(Buffer.from(done.file.sha256), sha256Of(wholeOf(row)));
  const place = toPlace(row, done.file.id);
  assert.ok((await readFile(join(room.folder, 'files', place.fileId, place.filename))).equals(wholeOf(row)));
  assert.deepEqual(await readdir(join(room.folder, 'staging')), []);
}

for (const declared of [false, true]) {
  test(`bytes lost before a restart, digest ${declared ? '' : 'not '}declared: only their part is asked for again`, async (context) => {
    const before = await makeRoom(context);
    const row = await openSession(before);
    if (declared)
      await before.db
        .updateTable('uploads')
        .set({ sha256: sha256Of(wholeOf(row)) })
        .execute();
    await sendParts(before, row);
    const room = await restartRoom(context, before);
    await loseRange(room.stagedPath(row.id), 310, 311);
    await assertAskedAgain(room, row, [[3, 3]]);
    await sendPart(room, row, 3);
    await assertCompletes(room, row);
  });
}

test('parts that came before a restart are verified, also when the digest began with those that came after it', async (context) => {
  const before = await makeRoom(context);
  const row = await openSession(before);
  await sendParts(before, row, 0, 6);
  const room = await restartRoom(context, before);
  await loseRange(room.stagedPath(row.id), 0, 100);
  await loseRange(room.stagedPath(row.id), 500, 600);
  await sendParts(room, row, 6);
  await assertAskedAgain(room, row, [
    [0, 0],
    [5, 5],
  ]);
  await sendPart(room, row, 5);
  await sendPart(room, row, 0);
  await assertCompletes(room, row);
});

test('what a second process verified is verified again by a third', async (context) => {
  const first = await makeRoom(context);
  const row = await openSession(first);
  await sendParts(first, row);
  const second = await restartRoom(context, first);
  await loseRange(second.stagedPath(row.id), 0, 100);
  await assertAskedAgain(second, row, [[0, 0]]);
  await sendPart(second, row, 0);
  const third = await restartRoom(context, second);
  await loseRange(third.stagedPath(row.id), 700, 800);
  await assertAskedAgain(third, row, [[7, 7]]);
  await sendPart(third, row, 7);
  await assertCompletes(third, row);
});

test('a publish that was cut off after its rename: damaged parts are asked for again, the others are kept', async (context) => {
  const before = await makeRoom(context);
  const row = await openSession(before);
  await sendParts(before, row);
  await cutOffPublish(before, row);
  const room = await restartRoom(context, before);
  const path = join(room.folder, 'files', 'f1', row.filename);
  await rm(path).catch(() => {});
  const damaged = wholeOf(row).fill(0, 0, 100);
  await writeFile(path, damaged, { mode: 0o400 });
  await assertAskedAgain(room, row, [[0, 0]]);
  await sendPart(room, row, 0);
  await assertCompletes(room, row);
});

test('an upload that was being verified when the server stopped is verified like any other', async (context) => {
  const before = await makeRoom(context);
  const row = await openSession(before);
  await sendParts(before, row);
  await moveSession(before.db, row.id, 'complete', 2000, { file_id: 'f1' });
  const room = await restartRoom(context, before);
  await loseRange(room.stagedPath(row.id), 940, 950);
  await resumeVerifying(room);
  const now = await readRow(room, row.id);
  assert.deepEqual([now.status, now.received_parts], ['uploading', 9]);
  // The client has time to send it, however long ago the last part came.
  assert.ok(now.expires_at >= room.now() + room.policy.sessionTtlMs);
  await sendPart(room, row, 9);
  await assertCompletes(room, row);
});

const MISHAPS: Record<string, (path: string) => Promise<void>> = {
  'cut short': (path) => truncate(path, 250),
  'replaced by zeros': async (path) => {
    await writeFile(`${path}.new`, Buffer.alloc(950));
    await rename(`${path}.new`, path);
  },
  'put back from a copy that lacks parts': async (path) => {
    await copyFile(path, `${path}.new`);
    await loseRange(`${path}.new`, 300, 950);
    await rename(`${path}.new`, path);
  },
  removed: (path) => rm(path),
};

for (const [mishap, happen] of Object.entries(MISHAPS)) {
  test(`a staging file that is ${mishap} under the server: no wrong file, with and without a digest`, async (context) => {
    const room = await makeRoom(context);
    for (const declared of [true, false]) {
      const row = await openSession(room);
      if (declared) {
        await room.db
          .updateTable('uploads')
          .set({ sha256: sha256Of(wholeOf(row)) })
          .where('id', '=', row.id)
          .execute();
      }
      await sendParts(room, row, 0, 5);
      await happen(room.stagedPath(row.id));
      // Refused until the upload is what it seems to be: each refusal says what to do.
      for (let round = 0; (await readRow(room, row.id)).status !== 'completed'; round++) {
        assert.ok(round < 5, `${await readRow(room, row.id).then(({ status }) => status)} after ${round} rounds`);
        const { ranges } = await findMissing(room.db, await readRow(room, row.id));
        for (const [first, last] of ranges) {
          await sendParts(room, row, first, last + 1).catch((error) => assert.equal(error.code, 'storage_unavailable'));
        }
        await completeUpload(room, ada, row.id, undefined, 'r').catch((error) =>
          assert.ok(['storage_unavailable', 'upload_incomplete'].includes(error.code), String(error)),
        );
      }
      const { file_id } = await readRow(room, row.id);
      assert.ok((await readFile(join(room.folder, 'files', String(file_id), row.filename))).equals(wholeOf(row)));
    }
  });
}

test('bytes that differ from what this process wrote fail no upload: their part is asked for again', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await room.db
    .updateTable('uploads')
    .set({ sha256: sha256Of(wholeOf(row)) })
    .execute();
  await sendParts(room, row, 1);
  await loseRange(room.stagedPath(row.id), 200, 300);
  await sendPart(room, row, 0);
  await assertAskedAgain(room, row, [[2, 2]]);
  await sendPart(room, row, 2);
  await assertCompletes(room, row);
});

test('a wrong digest of the sender fails the upload, when every part is what was acknowledged', async (context) => {
  for (const restarts of [false, true]) {
    let room = await makeRoom(context);
    const row = await openSession(room);
    await room.db
      .updateTable('uploads')
      .set({ sha256: sha256Of(Buffer.from('another file')) })
      .execute();
    await sendParts(room, row);
    if (restarts) room = await restartRoom(context, room);
    await assert.rejects(completeUpload(room, ada, row.id, undefined, 'r'), { code: 'file_checksum_mismatch' });
    assert.equal((await readRow(room, row.id)).status, 'failed');
  }
});

test('parts that this process has written are not hashed a second time', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendParts(room, row);
  const { parts } = await room.store.digestWhole(toStaged(row), toPlace(row, 'f'));
  assert.deepEqual([parts.size, room.verified.selectOthers(row, () => true)], [0, null]);
  const next = await restartRoom(context, room);
  assert.equal(next.verified.selectOthers(row, () => true)?.selected.includes(0), false);
});

test('a verification that cannot read the bytes at the moment invalidates nothing', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendParts(room, row);
  // The digest has come to its end, and selected no part.
  await room.store.digestWhole(toStaged(row), toPlace(row, 'f'));
  await rename(room.stagedPath(row.id), join(room.folder, 'away'));
  // A loop of links: neither "not there" nor bytes.
  await symlink(room.stagedPath(row.id), room.stagedPath(row.id));
  await assert.rejects(room.rechecks.run(room, row), { code: 'storage_unavailable' });
  await rm(room.stagedPath(row.id));
  await rename(join(room.folder, 'away'), room.stagedPath(row.id));
  await assertCompletes(room, row);
});

test('of 10,000 parts the damaged ones are found', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room, { size: 40_000, part_size: 4, part_count: 10_000 });
  await makeStored(room, row);
  await loseRange(room.stagedPath(row.id), 4 * 4321, 4 * 4323);
  await loseRange(room.stagedPath(row.id), 39_999, 40_000);
  await assertAskedAgain(room, row, [
    [4321, 4322],
    [9999, 9999],
  ]);
  for (const idx of [9999, 4322, 4321]) await sendPart(room, row, idx);
  await assertCompletes(room, row);
});

/** All parts, as another process has left them. */
async function makeStored(room: TestRoom, row: UploadRow): Promise<void> {
  await writeFile(room.stagedPath(row.id), wholeOf(row));
  for (let from = 0; from < row.part_count; from += 1000) {
    const parts = Array.from({ length: 1000 }, (_, at) => ({
      upload_id: row.id,
      idx: from + at,
      sha256: sha256Of(bytesOf(row, from + at)),
      stored_at: 1,
    }));
    await room.db.insertInto('parts').values(parts).execute();
  }
  await room.db.updateTable('uploads').set({ received_parts: row.part_count, received_bytes: row.size }).execute();
}
