import assert from 'node:assert/strict';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { markDeleted } from '../db/files.ts';
import { listUploadRows } from '../db/uploads/uploads.ts';
import { deleteFile, finishDeletions } from '../files/deletion.ts';
import { readContent } from '../files/files.ts';
import type { StoredFile } from '../files/stored-file.ts';
import { completeUpload } from '../uploads/completion.ts';
import type { UploadContext } from '../uploads/context.ts';
import { insertUpload, makeUploads, sendPart } from '../uploads/test-uploads.ts';
import { toStaged } from '../uploads/upload-record.ts';
import { compare } from './sweep.ts';

interface Line {
  level: 'warn' | 'error';
  file_id: unknown;
  message: string;
}

/** A context that records warnings and errors of the log, and the folder of its storage. */
async function makeLoggingUploads(t: TestContext) {
  const lines: Line[] = [];
  const note = (level: Line['level']) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, file_id: fields.file_id, message });
  const context = await makeUploads(t);
  const log = { info() {}, warn: note('warn'), error: note('error') };
  return { context: { ...context, log }, lines, folder: dirname(dirname(context.stagedPath('x'))) };
}

type LoggingUploads = Awaited<ReturnType<typeof makeLoggingUploads>>['context'];

async function publishFile(context: LoggingUploads): Promise<StoredFile> {
  const row = await insertUpload(context);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
  const done = await completeUpload(context, { owner: row.owner }, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  return done.file;
}

async function restoreFolder(folder: string, id: string): Promise<void> {
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(join(folder, id, 'a.bin'), 'old bytes');
}

test('compare: leftovers of a finished deletion are removed', async (t) => {
  const { context, folder, lines } = await makeLoggingUploads(t);
  const file = await publishFile(context);
  await deleteFile(context, file);
  // As after a power loss, when the removal was not flushed.
  await restoreFolder(join(folder, 'files'), file.id);
  await restoreFolder(join(folder, 'previews'), file.id);
  await compare(context);
  assert.deepEqual(await readdir(join(folder, 'files')), []);
  assert.deepEqual(await readdir(join(folder, 'previews')), []);
  assert.deepEqual(
    lines.map(({ level, file_id }) => [level, file_id]),
    [['warn', file.id]],
  );
});

test('compare: a folder without a deletion is reported and kept', async (t) => {
  const { context, folder, lines } = await makeLoggingUploads(t);
  const file = await publishFile(context);
  await restoreFolder(join(folder, 'files'), 'unknown');
  await compare(context);
  assert.deepEqual((await readdir(join(folder, 'files'))).sort(), [file.id, 'unknown'].sort());
  assert.deepEqual(lines, [
    { level: 'warn', file_id: 'unknown', message: 'folder in files/ without a record, not changed' },
  ]);
});

// Invariant 4
test('compare: a record without bytes is an error', async (t) => {
  const { context, lines } = await makeLoggingUploads(t);
  const [gone] = [await publishFile(context), await publishFile(context)];
  await context.storage.files.remove(gone.id);
  await compare(context);
  assert.deepEqual(lines, [{ level: 'error', file_id: gone.id, message: 'a file record without bytes' }]);
});

test('compare: a file whose deletion was interrupted is no error', async (t) => {
  const { context, lines } = await makeLoggingUploads(t);
  const file = await publishFile(context);
  await markDeleted(context.db, [file.id], context.now());
  await context.storage.files.remove(file.id);
  await compare(context);
  assert.deepEqual(lines, []);
  assert.equal(await finishDeletions(context, context.log), 1);
});

test('compare: files that are published and deleted meanwhile are neither missing nor unknown', async (t) => {
  const { context, lines } = await makeLoggingUploads(t);
  const files: StoredFile[] = [];
  for (let at = 0; at < 40; at++) files.push(await publishFile(context));
  let isDone = false;
  const comparing = (async () => {
    while (!isDone) await compare(context);
  })();
  await Promise.all([
    ...files.map((file) => deleteFile(context, file)),
    (async () => {
      for (let at = 0; at < 20; at++) await publishFile(context);
    })(),
  ]);
  isDone = true;
  await comparing;
  assert.deepEqual(lines, []);
});

test('compare: an upload that was interrupted between rename and record is not reported', async (t) => {
  const { context, lines } = await makeLoggingUploads(t);
  const row = await insertUpload(context, { status: 'verifying', file_id: 'cut-off' });
  await context.storage.uploads.publish(
    { ...toStaged(row), empty: false },
    {
      fileId: 'cut-off',
      filename: row.filename,
      sizeBytes: row.size,
    },
  );
  await compare(context);
  assert.deepEqual(lines, []);
  assert.equal((await listUploadRows(context.db, null, { limit: 1 }))[0]?.status, 'verifying');
});

test('deletions: a failed one does not block the others, and is repeated', async (t) => {
  const { context, lines } = await makeLoggingUploads(t);
  const deleted = [await publishFile(context), await publishFile(context), await publishFile(context)];
  for (const file of deleted) await markDeleted(context.db, [file.id], context.now());
  const [stuck] = deleted as [StoredFile];
  let isBroken = true;
  const files: UploadContext['storage']['files'] = Object.create(context.storage.files, {
    remove: {
      value: async (id: string) => {
        if (isBroken && id === stuck.id) throw new Error('EIO');
        await context.storage.files.remove(id);
      },
    },
  });
  const storage: UploadContext['storage'] = Object.create(context.storage, { files: { value: files } });
  assert.equal(await finishDeletions({ ...context, storage }, context.log), 2);
  assert.deepEqual(
    lines.map(({ level, file_id }) => [level, file_id]),
    [['error', stuck.id]],
  );
  isBroken = false;
  assert.equal(await finishDeletions({ ...context, storage }, context.log), 1);
});

test('files: a file that is deleted while it is read is not found; missing bytes are an error', async (t) => {
  const { context } = await makeLoggingUploads(t);
  const [deleted, gone] = [await publishFile(context), await publishFile(context)];
  await deleteFile(context, deleted);
  await context.storage.files.remove(gone.id);
  assert.equal(await context.storage.files.stat(gone.place), null);
  await assert.rejects(readContent(context, deleted, { start: 0, end: 1 }), { code: 'file_not_found' });
  await assert.rejects(readContent(context, gone, { start: 0, end: 1 }), { code: 'storage_unavailable' });
});

// Invariant 4
test('files: nothing is served of a file that has lost its end', async (t) => {
  const { context } = await makeLoggingUploads(t);
  const cut = await publishFile(context);
  await truncate(fileURLToPath(context.storage.files.locate(cut.place)), 100);
  await assert.rejects(readContent(context, cut, { start: 0, end: 1 }), { code: 'storage_unavailable' });
});
