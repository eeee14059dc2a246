import assert from 'node:assert/strict';
import { type Database, transact } from '../database.ts';
import { insertFile, markDeleted } from '../files.ts';
import { noteBoot } from '../server-state.ts';
import type { FileRow, UploadRow } from '../tables.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile, draftRow, insertRow, openRequest } from '../test-rows.ts';
import { listFailedAssembled, moveUploadRow, sumStaged } from '../uploads/uploads.ts';
import { listKnown, recordFault } from './known-files.ts';
import { type CopyOutcome, openCopyRow } from './opening.ts';

const digest = (fill: number) => new Uint8Array(32).fill(fill);

async function addFile(db: Database, id: string, changes: Partial<FileRow> = {}): Promise<FileRow> {
  const file = { ...draftFile(id, 950), sha256: digest(1), ...changes };
  await transact(db, async (tx) => await insertFile(tx, file));
  return file;
}

/** The row of a copy of `source` under another name. */
function draftCopy({ id }: FileRow, changes: Partial<UploadRow> = {}): UploadRow {
  const own = { filename: 'b.bin', sha256: digest(1), status: 'verifying' as const, copied_from: id };
  const row = draftRow({ ...own, received_parts: 10, received_bytes: 950, ...changes });
  return { ...row, file_id: `file-of-${row.id}` };
}

const open = (db: Database, row: UploadRow, more = {}): Promise<CopyOutcome> =>
  transact(db, (tx) => openCopyRow(tx, openRequest(row, more)));

testDatabases('known files: those of the owner, the oldest of each, without damaged and deleted ones', async (db) => {
  await addFile(db, 'f1');
  await addFile(db, 'f2');
  await addFile(db, 'f3', { sha256: digest(2) });
  await addFile(db, 'f4', { sha256: null });
  await addFile(db, 'f5', { owner: 'bob', sha256: digest(3) });
  const ask = async (owner: string) =>
    (await listKnown(db, owner, [digest(1), digest(2), digest(3)])).map(({ id, size }) => [id, Number(size)]).sort();
  assert.deepEqual(await ask('ada'), [
    ['f1', 950],
    ['f3', 950],
  ]);
  await recordFault(db, 'f1', 'damaged');
  await transact(db, (tx) => markDeleted(tx, ['f3'], 5000));
  assert.deepEqual(await ask('ada'), [['f2', 950]]);
  await recordFault(db, 'f1', null);
  assert.deepEqual(await ask('ada'), [['f1', 950]]);
  assert.deepEqual(await ask('bob'), [['f5', 950]]);
});

testDatabases('copies: of many that are opened at once, one is', async (db) => {
  const source = await addFile(db, 'f1');
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => open(db, draftCopy(source))));
  assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['found', 'found', 'found', 'found', 'opened']);
  assert.equal((await open(db, draftCopy(source, { filename: 'c.bin' }))).kind, 'opened');
  assert.equal((await open(db, draftCopy(source, { metadata: '{"path":"x/b.bin"}' }))).kind, 'opened');
  const present = await open(db, draftCopy(source, { filename: 'a.bin' }));
  assert.equal(present.kind === 'present' && present.file.id, 'f1');
});

testDatabases('copies: quotas count one that is being made, and their number is bounded', async (db) => {
  const source = await addFile(db, 'f1');
  assert.equal((await open(db, draftCopy(source), { quotaBytes: 1900 })).kind, 'opened');
  const next = (more: object) => open(db, draftCopy(source, { filename: 'c.bin' }), more);
  assert.deepEqual(await next({ quotaBytes: 1900 }), { kind: 'quota_exceeded', usedBytes: 1900 });
  assert.deepEqual(await next({ maxOpen: 1 }), { kind: 'too_many_open', open: 1 });
  assert.deepEqual(await next({ maxFiles: 2 }), { kind: 'too_many_files', files: 2 });
  assert.equal((await next({ freeBytes: 949 })).kind, 'no_space');
});

testDatabases('copies: a source that was deleted, or is damaged, is not copied', async (db) => {
  const source = await addFile(db, 'f1');
  await recordFault(db, 'f1', 'missing');
  assert.deepEqual(await open(db, draftCopy(source)), { kind: 'file_damaged', fault: 'missing' });
  await transact(db, (tx) => markDeleted(tx, ['f1'], 5000));
  assert.deepEqual(await open(db, draftCopy(source)), { kind: 'file_not_found' });
});

testDatabases('copies: one has no parts to verify again, and counts for nothing when it has failed', async (db) => {
  const copy = await insertRow(db, draftCopy(await addFile(db, 'f1')));
  await insertRow(db, { status: 'uploading' });
  assert.equal(await noteBoot(db, 'another'), 1);
  assert.equal(await sumStaged(db, 'ada'), 1900);
  await moveUploadRow(db, copy.id, 'fail', 5000, { is_counted: 0 });
  assert.equal(await sumStaged(db, 'ada'), 950);
  // What is there of it is removed.
  assert.deepEqual(
    (await listFailedAssembled(db)).map(({ id }) => id),
    [copy.id],
  );
});
