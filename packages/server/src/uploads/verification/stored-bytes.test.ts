/**
 * Stored bytes that vanish or change while the boot id stays the same: only acknowledged bytes are published.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, copyFile, open, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import { findMissing } from '../../db/uploads/parts.ts';
import { moveUploadRow } from '../../db/uploads/uploads.ts';
import { completeUpload, resumeVerifying } from '../completion.ts';
import {
  bytesOf,
  cutOffPublish,
  insertUpload,
  makeUploads,
  readRow,
  restartUploads,
  sendPart,
  type TestUploads,
} from '../test-uploads.ts';
import { toPlace, toStaged } from '../upload-record.ts';
import { reverify } from './reverification.ts';

const ada = { owner: 'ada' };

function wholeOf(row: UploadRow): Buffer {
  return Buffer.concat(Array.from({ length: row.part_count }, (_, idx) => bytesOf(row, idx)));
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

async function sendParts(context: TestUploads, row: UploadRow, first = 0, end = row.part_count): Promise<void> {
  for (let idx = first; idx < end; idx++) await sendPart(context, row, idx);
}

/** Like a file system after a crash: zeros instead of bytes. */
async function loseRange(path: string, start: number, end: number): Promise<void> {
  await chmod(path, 0o600);
  const file = await open(path, 'r+');
  await file.write(new Uint8Array(end - start), 0, end - start, start);
  await file.close();
}

/** Completes; it must be refused, naming exactly these parts, and the upload must take them. */
async function assertAskedAgain(context: TestUploads, row: UploadRow, ranges: [number, number][]): Promise<void> {
  await assert.rejects(completeUpload(context, ada, row.id, undefined, 'r'), (error) => {
    assert.ok(error instanceof UploadError, String(error));
    assert.deepEqual([error.code, error.details?.missing_parts], ['upload_incomplete', ranges]);
    return true;
  });
  const now = await readRow(context, row.id);
  assert.equal(now.status, 'uploading');
  assert.deepEqual((await findMissing(context.db, now)).ranges, ranges);
  assert.deepEqual(await readdir(join(context.folder, 'files')), []);
}

async function assertCompletes(context: TestUploads, row: UploadRow): Promise<void> {
  const done = await completeUpload(context, ada, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  assert.deepEqual(Buffer.from(done.file.sha256 ?? []), sha256Of(wholeOf(row)));
  const place = toPlace(row, done.file.id);
  assert.ok((await readFile(join(context.folder, 'files', place.fileId, place.filename))).equals(wholeOf(row)));
  assert.deepEqual(await readdir(join(context.folder, 'staging')), []);
}

for (const declared of [false, true]) {
  test(`stored bytes: lost before a restart, digest ${declared ? '' : 'not '}declared: only their part is missing`, async (t) => {
    const before = await makeUploads(t);
    const row = await insertUpload(before);
    if (declared)
      await before.db
        .updateTable('uploads')
        .set({ sha256: sha256Of(wholeOf(row)) })
        .execute();
    await sendParts(before, row);
    const context = await restartUploads(t, before);
    await loseRange(context.stagedPath(row.id), 310, 311);
    await assertAskedAgain(context, row, [[3, 3]]);
    await sendPart(context, row, 3);
    await assertCompletes(context, row);
  });
}

test('stored bytes: parts from before a restart are verified, also when the digest started with later ones', async (t) => {
  const before = await makeUploads(t);
  const row = await insertUpload(before);
  await sendParts(before, row, 0, 6);
  const context = await restartUploads(t, before);
  await loseRange(context.stagedPath(row.id), 0, 100);
  await loseRange(context.stagedPath(row.id), 500, 600);
  await sendParts(context, row, 6);
  await assertAskedAgain(context, row, [
    [0, 0],
    [5, 5],
  ]);
  await sendPart(context, row, 5);
  await sendPart(context, row, 0);
  await assertCompletes(context, row);
});

test('stored bytes: parts verified by one process are verified again by the next', async (t) => {
  const first = await makeUploads(t);
  const row = await insertUpload(first);
  await sendParts(first, row);
  const second = await restartUploads(t, first);
  await loseRange(second.stagedPath(row.id), 0, 100);
  await assertAskedAgain(second, row, [[0, 0]]);
  await sendPart(second, row, 0);
  const third = await restartUploads(t, second);
  await loseRange(third.stagedPath(row.id), 700, 800);
  await assertAskedAgain(third, row, [[7, 7]]);
  await sendPart(third, row, 7);
  await assertCompletes(third, row);
});

test('stored bytes: after an interrupted publish, damaged parts are missing and the others are kept', async (t) => {
  const before = await makeUploads(t);
  const row = await insertUpload(before);
  await sendParts(before, row);
  await cutOffPublish(before, row);
  const context = await restartUploads(t, before);
  const path = join(context.folder, 'files', 'f1', row.filename);
  await rm(path).catch(() => {});
  const damaged = wholeOf(row).fill(0, 0, 100);
  await writeFile(path, damaged, { mode: 0o400 });
  await assertAskedAgain(context, row, [[0, 0]]);
  await sendPart(context, row, 0);
  await assertCompletes(context, row);
});

test('stored bytes: an upload that was in verification at a stop is verified like any other', async (t) => {
  const before = await makeUploads(t);
  const row = await insertUpload(before);
  await sendParts(before, row);
  await moveUploadRow(before.db, row.id, 'complete', 2000, { file_id: 'f1' });
  const context = await restartUploads(t, before);
  await loseRange(context.stagedPath(row.id), 940, 950);
  await resumeVerifying(context);
  const now = await readRow(context, row.id);
  assert.deepEqual([now.status, now.received_parts], ['uploading', 9]);
  // The client has time to send it, however long ago the last part came.
  assert.ok(now.expires_at >= context.now() + context.policy.uploadTtlMs);
  await sendPart(context, row, 9);
  await assertCompletes(context, row);
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
  test(`stored bytes: a staging file that is ${mishap} while the server runs: no wrong file, with and without a digest`, async (t) => {
    const context = await makeUploads(t);
    for (const declared of [true, false]) {
      const row = await insertUpload(context);
      if (declared) {
        await context.db
          .updateTable('uploads')
          .set({ sha256: sha256Of(wholeOf(row)) })
          .where('id', '=', row.id)
          .execute();
      }
      await sendParts(context, row, 0, 5);
      await happen(context.stagedPath(row.id));
      // Refused until the upload is what it seems to be: each refusal says what to do.
      for (let round = 0; (await readRow(context, row.id)).status !== 'completed'; round++) {
        assert.ok(round < 5, `${await readRow(context, row.id).then(({ status }) => status)} after ${round} rounds`);
        const { ranges } = await findMissing(context.db, await readRow(context, row.id));
        for (const [first, last] of ranges) {
          await sendParts(context, row, first, last + 1).catch((error) =>
            assert.equal(error.code, 'storage_unavailable'),
          );
        }
        await completeUpload(context, ada, row.id, undefined, 'r').catch((error) =>
          assert.ok(['storage_unavailable', 'upload_incomplete'].includes(error.code), String(error)),
        );
      }
      const { file_id } = await readRow(context, row.id);
      assert.ok((await readFile(join(context.folder, 'files', String(file_id), row.filename))).equals(wholeOf(row)));
    }
  });
}

// Invariant 2
test('stored bytes: bytes that differ from the written ones fail no upload: their part is missing', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await context.db
    .updateTable('uploads')
    .set({ sha256: sha256Of(wholeOf(row)) })
    .execute();
  await sendParts(context, row, 1);
  await loseRange(context.stagedPath(row.id), 200, 300);
  await sendPart(context, row, 0);
  await assertAskedAgain(context, row, [[2, 2]]);
  await sendPart(context, row, 2);
  await assertCompletes(context, row);
});

test('stored bytes: a wrong declared digest fails the upload when every part is correct', async (t) => {
  for (const restarts of [false, true]) {
    let context = await makeUploads(t);
    const row = await insertUpload(context);
    await context.db
      .updateTable('uploads')
      .set({ sha256: sha256Of(Buffer.from('another file')) })
      .execute();
    await sendParts(context, row);
    if (restarts) context = await restartUploads(t, context);
    await assert.rejects(completeUpload(context, ada, row.id, undefined, 'r'), { code: 'file_checksum_mismatch' });
    assert.equal((await readRow(context, row.id)).status, 'failed');
  }
});

test('stored bytes: parts that this process has written are not hashed again', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendParts(context, row);
  const { parts } = await context.storage.uploads.digest(toStaged(row), toPlace(row, 'f'));
  assert.deepEqual([parts.size, context.verified.selectOthers(row, () => true)], [0, null]);
  const next = await restartUploads(t, context);
  assert.equal(next.verified.selectOthers(row, () => true)?.selected.includes(0), false);
});

test('stored bytes: a temporary read error invalidates no part', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendParts(context, row);
  // The digest has come to its end, and selected no part.
  await context.storage.uploads.digest(toStaged(row), toPlace(row, 'f'));
  await rename(context.stagedPath(row.id), join(context.folder, 'away'));
  // A loop of links: neither "not there" nor bytes.
  await symlink(context.stagedPath(row.id), context.stagedPath(row.id));
  await assert.rejects(reverify(context, row), { code: 'storage_unavailable' });
  await rm(context.stagedPath(row.id));
  await rename(join(context.folder, 'away'), context.stagedPath(row.id));
  await assertCompletes(context, row);
});

test('stored bytes: of 10,000 parts the damaged ones are found', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context, { size: 40_000, part_size: 4, part_count: 10_000 });
  await makeStored(context, row);
  await loseRange(context.stagedPath(row.id), 4 * 4321, 4 * 4323);
  await loseRange(context.stagedPath(row.id), 39_999, 40_000);
  await assertAskedAgain(context, row, [
    [4321, 4322],
    [9999, 9999],
  ]);
  for (const idx of [9999, 4322, 4321]) await sendPart(context, row, idx);
  await assertCompletes(context, row);
});

/** All parts, as another process has left them. */
async function makeStored(context: TestUploads, row: UploadRow): Promise<void> {
  await writeFile(context.stagedPath(row.id), wholeOf(row));
  for (let from = 0; from < row.part_count; from += 1000) {
    const parts = Array.from({ length: 1000 }, (_, at) => ({
      upload_id: row.id,
      idx: from + at,
      sha256: sha256Of(bytesOf(row, from + at)),
      stored_at: 1,
    }));
    await context.db.insertInto('parts').values(parts).execute();
  }
  await context.db.updateTable('uploads').set({ received_parts: row.part_count, received_bytes: row.size }).execute();
}
