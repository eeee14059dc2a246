import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { sql } from 'kysely';
import { pingDatabase } from './database.ts';
import { openSqliteFile } from './open.ts';
import { noteBoot } from './server-state.ts';
import { insertRow, makeDatabase, makeFolder, plain } from './test-rows.ts';
import { findUploadRow } from './uploads/uploads.ts';

test('database: rows persist when it is opened and migrated again', async (t) => {
  const path = join(await makeFolder(t), 'a.sqlite');
  const first = await openSqliteFile(path);
  const row = await insertRow(first);
  await first.destroy();
  const second = await openSqliteFile(path);
  assert.deepEqual(plain(await findUploadRow(second, row.id)), row);
  await second.destroy();
});

test('database: a commit survives power loss: WAL with synchronous=FULL', async (t) => {
  const db = await makeDatabase(t);
  const journal = await sql<{ journal_mode: string }>`PRAGMA journal_mode`.execute(db);
  assert.equal(journal.rows[0]?.journal_mode, 'wal');
  const synchronous = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db);
  assert.equal(synchronous.rows[0]?.synchronous, 2);
});

test('database: a locked database is database_unavailable', async (t) => {
  const path = join(await makeFolder(t), 'a.sqlite');
  const db = await openSqliteFile(path);
  t.after(() => db.destroy());
  await sql`PRAGMA busy_timeout=0`.execute(db);
  await pingDatabase(db);
  const other = new DatabaseSync(path);
  other.exec('BEGIN EXCLUSIVE');
  await assert.rejects(
    insertRow(db),
    (error) => error instanceof UploadError && error.code === 'database_unavailable' && error.cause !== undefined,
  );
  other.close();
  await insertRow(db);
});

test('database: other errors are not converted', async (t) => {
  const db = await makeDatabase(t);
  await assert.rejects(sql`select nothing from nowhere`.execute(db), (error) => !(error instanceof UploadError));
});

test('boot id: a start after another boot marks every live upload, a start in the same boot none', async (t) => {
  const db = await makeDatabase(t);
  await noteBoot(db, 'boot 1');
  const live = await Promise.all(
    (['pending', 'uploading', 'verifying'] as const).map((status) => insertRow(db, { status })),
  );
  const ended = await Promise.all(
    (['completed', 'failed', 'cancelled', 'expired'] as const).map((status) => insertRow(db, { status })),
  );
  assert.equal(await noteBoot(db, 'boot 1'), 0);
  assert.equal(await noteBoot(db, 'boot 2'), 3);
  assert.equal(await noteBoot(db, 'boot 2'), 0);
  for (const { id } of live) assert.equal((await findUploadRow(db, id))?.must_recheck, 1);
  for (const { id } of ended) assert.equal((await findUploadRow(db, id))?.must_recheck, 0);
});

test('boot id: a system without one counts as restarted at every start', async (t) => {
  const db = await makeDatabase(t);
  await insertRow(db);
  for (const bootId of [null, null, 'boot 1', null]) assert.equal(await noteBoot(db, bootId), 1);
});
