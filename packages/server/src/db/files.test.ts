import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { findUsage, insertFile, listFileIds, markDeleted, recordDigest } from './files.ts';
import { MIGRATIONS } from './migrations.ts';
import { openSqliteFile } from './open.ts';
import { ThreadedSqlite } from './sqlite/driver.ts';
import type { FileRow } from './tables.ts';
import { testDatabases } from './test-databases.ts';
import { makeFolder } from './test-rows.ts';

function draftFile(at: number): FileRow {
  const id = `file-${String(at).padStart(6, '0')}`;
  const digest = new Uint8Array(32);
  const plan = { size: 1, part_size: 1, part_count: 1, sha256: digest, parts_sha256: digest };
  const texts = {
    content_type: 'a/b',
    metadata: '{}',
    mrc: null,
    warnings: '[]',
    statistics: null,
    tiff: null,
    mdoc: null,
    mdoc_image: null,
    copied_from: null,
    compressed_size: null,
    compressed_sha256: null,
    fault: null,
    dataset_id: null,
    link_id: null,
    instrument: null,
  };
  // Every third is being deleted.
  const times = { created_at: 1, deleted_at: at % 3 === 0 ? 2 : null };
  return { id, upload_id: `of-${id}`, owner: 'ada', filename: 'a.mrc', ...plan, ...texts, ...times };
}

testDatabases('files: all ids are read in batches, and other work runs in between', async (db) => {
  const count = 9_000;
  const rows = Array.from({ length: count }, (_, at) => draftFile(at));
  await db.transaction().execute(async (tx) => {
    while (rows.length > 0) await tx.insertInto('files').values(rows.splice(0, 500)).execute();
  });
  let isRead = false;
  const reading = listFileIds(db).finally(() => {
    isRead = true;
  });
  let queue = 0;
  for (; !isRead; queue++) await setImmediate();
  assert.equal((await reading).size, count);
  assert.ok(queue > 4, `${queue} queue`);
});

testDatabases('files: a digest is recorded once, and not for a file that was deleted', async (db) => {
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  await db
    .insertInto('files')
    .values([1, 2].map((at) => ({ ...draftFile(at), sha256: null })))
    .execute();
  const { id } = draftFile(1);
  assert.deepEqual((await recordDigest(db, id, first))?.sha256, first);
  assert.equal(await recordDigest(db, id, second), undefined);
  const deleted = draftFile(2).id;
  await markDeleted(db, [deleted], 5);
  assert.equal(await recordDigest(db, deleted, first), undefined);
});

// Invariant 4
testDatabases('files: a file is deleted once, and its bytes are subtracted once', async (db) => {
  const draft = { ...draftFile(1), size: 10 };
  await insertFile(db, draft);
  await insertFile(db, { ...draftFile(2), size: 5 });
  assert.deepEqual(await findUsage(db, 'ada'), { files: 2, bytes: 15 });
  const outcomes = await Promise.all([1, 2, 3].map((nowMs) => markDeleted(db, [draft.id], nowMs)));
  assert.deepEqual(outcomes.map((files) => files.length).sort(), [0, 0, 1]);
  assert.deepEqual(await findUsage(db, 'ada'), { files: 1, bytes: 5 });
});

test('files: the digests of an earlier version are kept, and may be null from now on', async (t) => {
  const path = join(await makeFolder(t), 'a.sqlite');
  const before = new Kysely<{ files: Partial<FileRow> }>({ dialect: new ThreadedSqlite(path) });
  t.after(() => before.destroy());
  const migrator = new Migrator({ db: before, provider: { getMigrations: async () => MIGRATIONS } });
  assert.equal((await migrator.migrateTo('010_storage_references')).error, undefined);
  const [table] = (await before.introspection.getTables()).filter(({ name }) => name === 'files');
  const columns = new Set(table?.columns.map(({ name }) => name));
  const earlier = Object.entries(draftFile(1)).filter(([name]) => columns.has(name));
  const sha256 = new Uint8Array(32).fill(3);
  await before
    .insertInto('files')
    .values({ ...Object.fromEntries(earlier), sha256 })
    .execute();
  await before.destroy();
  const db = await openSqliteFile(path);
  t.after(() => db.destroy());
  await db
    .insertInto('files')
    .values({ ...draftFile(2), sha256: null })
    .execute();
  const rows = await db.selectFrom('files').selectAll().orderBy('id').execute();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { ...draftFile(1), sha256 },
      { ...draftFile(2), sha256: null },
    ],
  );
});
