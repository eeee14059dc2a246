import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { markDeleted } from '../db/files.ts';
import { listSessions } from '../db/sessions.ts';
import type { FileRow } from '../db/tables.ts';
import { deleteFile, finishDeletions, readContent } from '../files/files.ts';
import { toFilePlace } from '../files/record.ts';
import { completeUpload } from '../uploads/completion.ts';
import type { UploadRoom } from '../uploads/context.ts';
import { makeRoom, openSession, sendPart } from '../uploads/test-uploads.ts';
import { compare } from './sweep.ts';

interface Line {
  level: 'warn' | 'error';
  file_id: unknown;
  message: string;
}

/** A room that keeps what is logged as a warning or worse, and the folder of its store. */
async function makeLoggingRoom(context: TestContext) {
  const lines: Line[] = [];
  const note = (level: Line['level']) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, file_id: fields.file_id, message });
  const room = await makeRoom(context);
  const log = { info() {}, warn: note('warn'), error: note('error') };
  return { room: { ...room, log }, lines, folder: dirname(dirname(room.stagedPath('x'))) };
}

type LoggingRoom = Awaited<ReturnType<typeof makeLoggingRoom>>['room'];

async function publishFile(room: LoggingRoom): Promise<FileRow> {
  const row = await openSession(room);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
  const done = await completeUpload(room, { owner: row.owner }, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  return done.file;
}

async function restoreFolder(folder: string, id: string): Promise<void> {
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(join(folder, id, 'a.bin'), 'old bytes');
}

test('compare: what a finished deletion left behind is removed', async (context) => {
  const { room, folder, lines } = await makeLoggingRoom(context);
  const file = await publishFile(room);
  await deleteFile(room, file);
  // As a power loss may do where the removal was not flushed.
  await restoreFolder(join(folder, 'files'), file.id);
  await restoreFolder(join(folder, 'previews'), file.id);
  await compare(room);
  assert.deepEqual(await readdir(join(folder, 'files')), []);
  assert.deepEqual(await readdir(join(folder, 'previews')), []);
  assert.deepEqual(
    lines.map(({ level, file_id }) => [level, file_id]),
    [['warn', file.id]],
  );
});

test('compare: a folder that nobody has deleted is reported and left alone', async (context) => {
  const { room, folder, lines } = await makeLoggingRoom(context);
  const file = await publishFile(room);
  await restoreFolder(join(folder, 'files'), 'unknown');
  await compare(room);
  assert.deepEqual((await readdir(join(folder, 'files'))).sort(), [file.id, 'unknown'].sort());
  assert.deepEqual(lines, [
    { level: 'warn', file_id: 'unknown', message: 'folder in files/ without a record left alone' },
  ]);
});

test('compare: a record whose bytes are gone is an error', async (context) => {
  const { room, lines } = await makeLoggingRoom(context);
  const [gone] = [await publishFile(room), await publishFile(room)];
  await room.store.removeFile(gone.id);
  await compare(room);
  assert.deepEqual(lines, [{ level: 'error', file_id: gone.id, message: 'a file record whose bytes are gone' }]);
});

test('compare: a file whose deletion was cut off is no error', async (context) => {
  const { room, lines } = await makeLoggingRoom(context);
  const file = await publishFile(room);
  await markDeleted(room.db, file.id, room.now());
  await room.store.removeFile(file.id);
  await compare(room);
  assert.deepEqual(lines, []);
  assert.equal(await finishDeletions(room, room.log), 1);
});

test('compare: files that are published and deleted meanwhile are neither missing nor unknown', async (context) => {
  const { room, lines } = await makeLoggingRoom(context);
  const files: FileRow[] = [];
  for (let at = 0; at < 40; at++) files.push(await publishFile(room));
  let isDone = false;
  const comparing = (async () => {
    while (!isDone) await compare(room);
  })();
  await Promise.all([
    ...files.map((file) => deleteFile(room, file)),
    (async () => {
      for (let at = 0; at < 20; at++) await publishFile(room);
    })(),
  ]);
  isDone = true;
  await comparing;
  assert.deepEqual(lines, []);
});

test('compare: an upload that was cut off between its rename and its record is not unknown', async (context) => {
  const { room, lines } = await makeLoggingRoom(context);
  const row = await openSession(room, { status: 'verifying', file_id: 'cut-off' });
  await room.store.publish(
    { id: row.id, filename: row.filename, sizeBytes: row.size, empty: false },
    {
      fileId: 'cut-off',
      filename: row.filename,
      sizeBytes: row.size,
    },
  );
  await compare(room);
  assert.deepEqual(lines, []);
  assert.equal((await listSessions(room.db, null, { limit: 1 }))[0]?.status, 'verifying');
});

test('deletions: one that fails does not hold up the others, and is tried again', async (context) => {
  const { room, lines } = await makeLoggingRoom(context);
  const files = [await publishFile(room), await publishFile(room), await publishFile(room)];
  for (const file of files) await markDeleted(room.db, file.id, room.now());
  const [stuck] = files as [FileRow];
  let isBroken = true;
  const store: UploadRoom['store'] = Object.create(room.store, {
    removeFile: {
      value: async (id: string) => {
        if (isBroken && id === stuck.id) throw new Error('EIO');
        await room.store.removeFile(id);
      },
    },
  });
  assert.equal(await finishDeletions({ ...room, store }, room.log), 2);
  assert.deepEqual(
    lines.map(({ level, file_id }) => [level, file_id]),
    [['error', stuck.id]],
  );
  isBroken = false;
  assert.equal(await finishDeletions({ ...room, store }, room.log), 1);
});

test('a file that is deleted while it is read is not found; one whose bytes are gone is an error', async (context) => {
  const { room } = await makeLoggingRoom(context);
  const [deleted, gone] = [await publishFile(room), await publishFile(room)];
  await deleteFile(room, deleted);
  await room.store.removeFile(gone.id);
  assert.equal(await room.store.statFile(toFilePlace(gone)), null);
  await assert.rejects(readContent(room, deleted, { start: 0, end: 1 }), { code: 'file_not_found' });
  await assert.rejects(readContent(room, gone, { start: 0, end: 1 }), { code: 'storage_unavailable' });
});
