import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSION } from '../../version.ts';
import type { Database } from '../database.ts';
import { findNewestSeq, insertEvent, listAllEvents } from '../events.ts';
import { insertFile } from '../files.ts';
import { readFact, writeFact } from '../server-state.ts';
import { makePostgres, testPostgres } from '../test-databases.ts';
import { draftFile, draftPart, insertRow, makeDatabase } from '../test-rows.ts';
import { commitPart } from '../uploads/parts.ts';
import { noteSigned } from '../uploads/signed-parts.ts';
import { KEYS, listCopied } from './copied-tables.ts';
import { readMark, type TargetMark, whyRelocating, writeMark } from './marks.ts';
import { compareRows, copyRows, countRows, emptyTables, forgetFolder, isUnused } from './rows.ts';

const MARK: TargetMark = {
  role: 'target',
  id: 'r1',
  other: 'sqlite:/a',
  storages: 'file:/a to s3://b/',
  startedAtMs: 0,
  step: 'rows',
  at: null,
};
const EVENTS = 1200;

function eventOf(nr: number) {
  return { id: `e${nr}`, type: 'a', subject: 'uploads/u', owner: 'µ', time: nr, data: '{"a":"ü"}' };
}

/** A row in each table, uploads that are under way and not, and more events than a batch, the first of which are gone. */
async function fill(db: Database): Promise<void> {
  const { id } = await insertRow(db, { id: 'under way', storage_ref: 'r' });
  await commitPart(db, id, { ...draftPart(0), storageRef: 'r' });
  await noteSigned(db, id, [{ idx: 1, sha256: new Uint8Array(32).fill(1) }], 9000);
  const ended = await insertRow(db, { id: 'ended', storage_ref: 'r', mrc: '{}', sha256: new Uint8Array(32).fill(7) });
  await commitPart(db, ended.id, { ...draftPart(9), receipt: 'etag', storageRef: 'r' });
  await db.updateTable('uploads').set({ status: 'completed' }).where('id', '=', ended.id).execute();
  await insertFile(db, draftFile('f1', 950, ended.id));
  await writeFact(db, 'webhook_seq', '7');
  await writeFact(db, 'boot_id', 'of this machine');
  await writeFact(db, 'scrub', '{"after":"f1"}');
  await writeFact(db, 'schema_floor', 'of the source');
  await db
    .insertInto('links')
    .values({
      id: 'l',
      owner: 'ada',
      token_sha256: new Uint8Array(32),
      max_bytes: 2 ** 50,
      max_files: null,
      note: 'the night of the 3rd',
      created_at: 1,
      expires_at: 2,
    })
    .execute();
  await db
    .insertInto('idempotency_keys')
    .values({ owner: 'ada', key: 'k', request_sha256: new Uint8Array(32), upload_id: id, created_at: 1 })
    .execute();
  for (let nr = 1; nr <= EVENTS; nr++) await insertEvent(db, eventOf(nr));
  assert.equal(await findNewestSeq(db), EVENTS);
  await db.deleteFrom('events').where('seq', '<=', 10).execute();
}

for (const [from, to] of [
  ['SQLite', 'PostgreSQL'],
  ['PostgreSQL', 'SQLite'],
] as const) {
  testPostgres(`relocation: rows from ${from} to ${to} are the same, continued after each interruption`, async (t) => {
    const made = { SQLite: await makeDatabase(t), PostgreSQL: await makePostgres(t) };
    const [source, target] = [made[from], made[to]];
    await fill(source);
    const tables = listCopied(true);
    await writeFact(target, 'schema_floor', 'of the target');
    await emptyTables(target, MARK, true);
    for (let runs = 1; ; runs++) {
      const mark = (await readMark(target)) as TargetMark;
      const stop = () => {
        throw new Error('killed');
      };
      const isDone = await copyRows(source, target, tables, mark, stop).then(
        () => true,
        () => false,
      );
      if (!isDone) continue;
      assert.ok(runs > 10, 'each run has copied one batch');
      break;
    }
    assert.deepEqual(await compareRows(source, target, tables, () => {}), []);
    assert.deepEqual(await countRows(target, tables), await countRows(source, tables));
    assert.equal((await target.selectFrom('signed_parts').selectAll().execute()).length, 1);
    assert.equal(await readFact(target, 'scrub'), '{"after":"f1"}');
    assert.equal(await readFact(target, 'schema_floor'), 'of the target');
    const [first] = await listAllEvents(target, 0, 1);
    assert.deepEqual([first?.seq, first?.id], [11, 'e11']);
    await target.deleteFrom('events').execute();
    await insertEvent(target, eventOf(EVENTS + 1));
    assert.equal(await findNewestSeq(target), EVENTS + 1, 'a number does not come again');
    await target.updateTable('links').set({ max_bytes: 1 }).execute();
    assert.deepEqual(await compareRows(source, target, tables, () => {}), ['links', 'events']);
  });
}

test('relocation: with another storage, uploads under way and what the storage knew are left out', async (t) => {
  const [source, target] = [await makeDatabase(t), await makeDatabase(t)];
  await fill(source);
  await writeFact(source, 'database_id', 'of the source');
  await writeFact(target, 'database_id', 'of the target');
  const tables = listCopied(false);
  await emptyTables(target, MARK, false);
  await copyRows(source, target, tables, MARK, () => {});
  assert.deepEqual(await compareRows(source, target, tables, () => {}), []);
  const uploads = await target.selectFrom('uploads').select(['id', 'storage_ref']).execute();
  assert.deepEqual(
    uploads.map(({ id, storage_ref }) => [id, storage_ref]),
    [['ended', null]],
  );
  const parts = await target.selectFrom('parts').select(['idx', 'receipt']).execute();
  assert.deepEqual(
    parts.map(({ idx, receipt }) => [idx, receipt]),
    [[9, null]],
  );
  assert.deepEqual(await target.selectFrom('signed_parts').selectAll().execute(), []);
  const facts = await target.selectFrom('facts').selectAll().orderBy('name').execute();
  assert.deepEqual(
    facts.map(({ name, value }) => [name, name === 'relocation' ? '' : value]),
    [
      ['database_id', 'of the target'],
      ['relocation', ''],
      ['server_version', VERSION],
      ['webhook_seq', '7'],
    ],
  );
});

test('relocation: every table of the database has a key that it is copied by', async (t) => {
  const db = await makeDatabase(t);
  const tables = await db.introspection.getTables();
  assert.deepEqual(
    tables
      .map(({ name }) => name)
      // The index of texts follows the library by triggers.
      .filter((name) => !/^(?:sqlite|library)_/.test(name))
      .sort(),
    Object.keys(KEYS).sort(),
  );
});

test('relocation: a database is in use when somebody has started an upload, not when a server was started', async (t) => {
  const db = await makeDatabase(t);
  await writeFact(db, 'boot_id', 'x');
  assert.equal(await isUnused(db), true);
  await insertRow(db);
  assert.equal(await isUnused(db), false);
});

test('relocation: a target forgets the shared folder that it was started with, and keeps its id', async (t) => {
  const db = await makeDatabase(t);
  await writeFact(db, 'shared_folder_id', 'of another folder');
  await writeFact(db, 'database_id', 'of the target');
  await forgetFolder(db);
  assert.equal(await readFact(db, 'shared_folder_id'), undefined);
  assert.equal(await readFact(db, 'database_id'), 'of the target');
});

test('relocation: the reason why no server may start says what to do', async (t) => {
  const db = await makeDatabase(t);
  assert.equal(await whyRelocating(db), null);
  await writeMark(db, MARK);
  assert.match(
    (await whyRelocating(db)) ?? '',
    /from sqlite:\/a into this database has not ended; run cryolift migrate/,
  );
  await writeMark(db, { role: 'moved', id: 'r1', other: 'postgres://h/d', isEnded: true });
  assert.match((await whyRelocating(db)) ?? '', /was migrated to postgres:\/\/h\/d/);
});
