import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { UploadError } from '@cryolift/protocol/errors';
import { deleteParts } from '../db/uploads/parts.ts';
import { moveUploadRow } from '../db/uploads/uploads.ts';
import { completeUpload, resumeVerifying } from './completion.ts';
import { finalize } from './finalization.ts';
import { bytesOf, insertUpload, makeUploads, readRow, sendPart } from './test-uploads.ts';
import { toPlace } from './upload-record.ts';

test('completion: a file that was published meanwhile is not changed by a late completion', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  // As `resumeVerifying` lists it, before it waits for the uploads listed before this one.
  const listed = await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: 'f1' });
  assert.ok(listed);
  const file = await finalize(context, listed, 'the client');
  const again = await finalize(context, listed, 'restart').catch((error: unknown) => error);
  assert.equal(await context.storage.files.stat(toPlace(row, 'f1')), row.size);
  assert.equal((await readRow(context, row.id)).status, 'completed');
  assert.deepEqual((again as { id?: string }).id, file.id);
});

test('completion: an upload in verification is finished at the next start', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: 'f1' });
  await resumeVerifying(context);
  assert.equal((await readRow(context, row.id)).status, 'completed');
  assert.equal(await context.storage.files.stat(toPlace(row, 'f1')), row.size);
});

// Invariant 3
test('complete: the rows of the parts decide, not their number in the row of the upload', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  await deleteParts(context.db, row.id, [4]);
  const complete = () => completeUpload(context, { owner: row.owner }, row.id, undefined, 'r');
  await assert.rejects(complete(), (error: UploadError) => {
    assert.deepEqual(error.details?.missing_parts, [[4, 4]]);
    return error.code === 'upload_incomplete';
  });
  assert.deepEqual(await context.storage.files.list(), []);
  await sendPart(context, row, 4);
  assert.equal((await complete()).kind, 'completed');
});

test('complete: a digest that is declared between read and change is kept, and another one is refused', async (t) => {
  const context = await makeUploads(t);
  const wrong = createHash('sha256').update('other bytes').digest();
  for (const [declared, code] of [
    [undefined, 'file_checksum_mismatch'],
    ['ab'.repeat(32), 'invalid_request'],
  ] as const) {
    const row = await insertUpload(context);
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
    // As a resuming init does, between read and change.
    const newId = () => {
      void context.db.updateTable('uploads').set({ sha256: wrong }).where('id', '=', row.id).execute();
      return context.newId();
    };
    await assert.rejects(
      completeUpload({ ...context, newId }, { owner: row.owner }, row.id, declared, 'r'),
      (error: UploadError) => error.code === code,
    );
    assert.deepEqual(Buffer.from((await readRow(context, row.id)).sha256 ?? []), wrong);
  }
});

test('complete: a file that was verified without a digest is refused for another one', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  const hash = createHash('sha256');
  for (let idx = 0; idx < row.part_count; idx++) {
    await sendPart(context, row, idx);
    hash.update(bytesOf(row, idx));
  }
  const complete = (sha256?: string) => completeUpload(context, { owner: row.owner }, row.id, sha256, 'r');
  const published = await complete();
  await assert.rejects(complete('ab'.repeat(32)), (error: UploadError) => error.code === 'file_checksum_mismatch');
  const again = await complete(hash.digest('hex'));
  assert.ok(again.kind === 'completed' && published.kind === 'completed');
  assert.equal(again.file.id, published.file.id);
});
