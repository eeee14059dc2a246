import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { sql } from 'kysely';
import { VERSION } from '../version.ts';
import type { Database } from './database.ts';
import { openSqliteFile } from './open.ts';
import { assertMigrated, checkSchema, migrate, SERVER_VERSION } from './schema.ts';
import { readFact, writeFact } from './server-state.ts';
import { testDatabases } from './test-databases.ts';
import { draftPart, insertRow, makeFolder } from './test-rows.ts';
import { commitPart } from './uploads/parts.ts';
import { findUploadRow } from './uploads/uploads.ts';

const NEWER = '999_of_a_later_version';

/** What a newer version does that only adds. */
async function expand(db: Database): Promise<void> {
  await sql`alter table uploads add column added_later text`.execute(db);
  await sql`create table added_later (id text primary key)`.execute(db);
  await sql`insert into kysely_migration (name, timestamp) values (${NEWER}, '2030-01-01')`.execute(db);
}

const isUnavailable = (error: unknown) => error instanceof UploadError && error.code === 'database_unavailable';

testDatabases('schema: an older server goes on, and starts, after a newer one has added to the tables', async (db) => {
  const { id } = await insertRow(db);
  await expand(db);
  await migrate(db);
  await checkSchema(db);
  assert.equal((await commitPart(db, id, draftPart(0))).kind, 'stored');
  const row = await insertRow(db);
  assert.equal((await findUploadRow(db, row.id))?.status, 'pending');
});

testDatabases('schema: the database names the last version that knows all of it', async (db) => {
  await writeFact(db, SERVER_VERSION, '0.0.1');
  await migrate(db);
  assert.equal(await readFact(db, SERVER_VERSION), VERSION);
  await expand(db);
  await writeFact(db, SERVER_VERSION, '9.0.0');
  await migrate(db);
  assert.equal(await readFact(db, SERVER_VERSION), '9.0.0', 'an older one does not take its place');
});

testDatabases('schema: an older server is not ready, and does not start, when it must know more', async (db) => {
  await expand(db);
  await writeFact(db, 'schema_floor', '011_late_digests');
  await migrate(db);
  await writeFact(db, 'schema_floor', NEWER);
  await assert.rejects(checkSchema(db), isUnavailable);
  await assert.rejects(
    migrate(db),
    /newer version of Cryolift \(\d+\.\d+\.\d+\S*, 999_of_a_later_version\); start that version, or/,
  );
});

testDatabases('schema: tables that lack a migration of this version are not ready', async (db) => {
  await sql`delete from kysely_migration where name = '011_late_digests'`.execute(db);
  await assert.rejects(checkSchema(db), isUnavailable);
});

testDatabases('schema: rows are copied only between tables of exactly this version', async (db) => {
  await assertMigrated(db);
  await expand(db);
  await assert.rejects(assertMigrated(db), /newer version \(999_of_a_later_version\)/);
  await sql`delete from kysely_migration where name = '011_late_digests'`.execute(db);
  await assert.rejects(assertMigrated(db), /older version/);
  await sql`delete from kysely_migration`.execute(db);
  await assert.rejects(assertMigrated(db), /not the database of a server/);
});

test('schema: on SQLite the migrations are done together, or none of them: a crash between two leaves no half', async (t) => {
  const path = join(await makeFolder(t), 'half.sqlite');
  const file = new DatabaseSync(path);
  t.after(() => file.close());
  const listTables = () => file.prepare("select name from sqlite_master where type = 'table'").all();
  // In the way of a late migration.
  file.exec('create table links (id text)');
  await assert.rejects(openSqliteFile(path), /links/);
  const left = listTables().map(({ name }) => name);
  assert.deepEqual(
    left.filter((name) => !String(name).startsWith('kysely_')),
    ['links'],
  );
  file.exec('drop table links');
  const db = await openSqliteFile(path);
  await assertMigrated(db).finally(() => db.destroy());
});
