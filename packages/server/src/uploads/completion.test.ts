import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveUploadRow } from '../db/sessions.ts';
import { finalize, resumeVerifying } from './completion.ts';
import { insertUpload, makeUploads, readRow, sendPart } from './test-uploads.ts';
import { toPlace } from './upload-record.ts';

test('a file that was published meanwhile is not touched by whoever comes late to finish it', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  // As `resumeVerifying` lists it, before it waits for the uploads listed before this one.
  const listed = await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: 'f1' });
  assert.ok(listed);
  const file = await finalize(context, listed, 'the client');
  const again = await finalize(context, listed, 'restart').catch((error: unknown) => error);
  assert.equal(await context.store.statFile(toPlace(row, 'f1')), row.size);
  assert.equal((await readRow(context, row.id)).status, 'completed');
  assert.deepEqual((again as { id?: string }).id, file.id);
});

test('what was being verified when the server stopped is finished at the next start', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: 'f1' });
  await resumeVerifying(context);
  assert.equal((await readRow(context, row.id)).status, 'completed');
  assert.equal(await context.store.statFile(toPlace(row, 'f1')), row.size);
});
