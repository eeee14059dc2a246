import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { draftDataset } from '../../datasets/draft.ts';
import { transact } from '../database.ts';
import { insertFile, markDeleted } from '../files.ts';
import { runGuarded } from '../guarded.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile, draftRow, insertRow, openRequest } from '../test-rows.ts';
import { openPlainly } from '../uploads/plain-opening.ts';
import { openUploadRow } from '../uploads/upload-opening.ts';
import { forgetDataset, sumDatasetFolders } from './members.ts';
import { insertReceipt } from './receipts.ts';
import {
  findAnyDataset,
  findDataset,
  insertDataset,
  listDueDatasets,
  listToWarn,
  markDatasetDeleted,
  markWarned,
  moveDataset,
} from './rows.ts';
import { WARNINGS_MIGRATION } from './warnings-migration.ts';

const draft = (id: string, name = id) => draftDataset(id, 'ada', { name }, 1000);

testDatabases('datasets: an owner has a name once, until it is being deleted', async (db) => {
  assert.equal(await insertDataset(db, draft('d1', 'grid')), true);
  assert.equal(await insertDataset(db, draft('d2', 'grid')), false);
  assert.equal(await insertDataset(db, { ...draft('d3', 'grid'), owner: 'bob' }), true);
  assert.equal((await markDatasetDeleted(db, 'd1', 2000))?.id, 'd1');
  assert.equal(await markDatasetDeleted(db, 'd1', 2000), undefined);
  assert.equal(await findDataset(db, 'd1'), undefined);
  assert.equal(await insertDataset(db, draft('d2', 'grid')), true);
});

testDatabases('datasets: inits at once agree on the dataset that they make', async (db) => {
  const opened = await Promise.all(
    ['a', 'b', 'c'].map((id) => {
      const dataset = { id: null, draft: draft(`d-${id}`, 'grid') };
      return transact(db, (tx) => openUploadRow(tx, openRequest(draftRow(), { dataset })));
    }),
  );
  const ids = opened.map((each) => (each.kind === 'opened' ? each.row.dataset_id : each.kind));
  assert.equal(new Set(ids).size, 1, String(ids));
  const made = opened.filter((each) => each.kind === 'opened' && each.madeDataset !== null);
  assert.equal(made.length, 1);
});

testDatabases('datasets: a plain init is refused by a dataset that was completed meanwhile', async (db) => {
  await insertDataset(db, draft('d1'));
  const open = async () => {
    const row = draftRow({ dataset_id: 'd1' });
    const request = openRequest(row, { dataset: { id: 'd1', draft: null } });
    const { refusedAt } = await runGuarded(db, openPlainly(db, request) ?? []);
    return { refusedAt, outcome: await transact(db, (tx) => openUploadRow(tx, { ...request, row: draftRow() })) };
  };
  const first = await open();
  assert.deepEqual([first.refusedAt, first.outcome.kind], [null, 'opened']);
  await moveDataset(db, 'd1', 'complete', { completed_at: 2000 }, 2000);
  const second = await open();
  assert.deepEqual([second.refusedAt, second.outcome.kind], [0, 'dataset_closed']);
});

testDatabases('datasets: a state moves only as the table says, and expires only when it is time', async (db) => {
  await insertDataset(db, draft('d1'));
  assert.equal(await moveDataset(db, 'd1', 'expire', {}, 9000), undefined);
  assert.equal(await moveDataset(db, 'd1', 'release', {}, 9000), undefined);
  const completed = await moveDataset(db, 'd1', 'complete', { completed_at: 2000, expires_at: 9000 }, 2000);
  assert.equal(completed?.state, 'complete');
  assert.deepEqual(await listDueDatasets(db, 9000, 10), [], 'without a receipt');
  const receipt = { id: 'r1', dataset_id: 'd1', kind: 'issued', created_at: 2000, document: '{}' } as const;
  assert.equal(await insertReceipt(db, { ...receipt, completed_at: 2000 }), true);
  assert.equal(await insertReceipt(db, { ...receipt, id: 'r2', completed_at: 2000 }), false);
  assert.deepEqual(await listDueDatasets(db, 8999, 10), []);
  assert.equal(await moveDataset(db, 'd1', 'expire', {}, 8999), undefined);
  assert.deepEqual(
    (await listDueDatasets(db, 9000, 10)).map(({ id }) => id),
    ['d1'],
  );
  assert.equal((await moveDataset(db, 'd1', 'expire', {}, 9000))?.state, 'expired');
  assert.equal(await moveDataset(db, 'd1', 'reopen', {}, 9000), undefined);
});

testDatabases('datasets: of those that warn of one at once, one does, and it expires only after that', async (db) => {
  await insertDataset(db, draft('d1'));
  await moveDataset(db, 'd1', 'complete', { completed_at: 2000, expires_at: 9000, warn_at: 5000 }, 2000);
  assert.deepEqual(await listToWarn(db, 4999, 10), []);
  assert.equal(await markWarned(db, 'd1', 4999), undefined);
  assert.equal(await moveDataset(db, 'd1', 'expire', {}, 9000), undefined);
  assert.deepEqual(
    (await listToWarn(db, 9000, 10)).map(({ id }) => id),
    ['d1'],
  );
  const warned = await Promise.all([1, 2, 3].map(() => transact(db, (tx) => markWarned(tx, 'd1', 9000))));
  assert.deepEqual(warned.filter((row) => row !== undefined).length, 1);
  assert.deepEqual(await listToWarn(db, 9000, 10), []);
  assert.equal((await moveDataset(db, 'd1', 'expire', {}, 9000))?.state, 'expired');
});

testDatabases('datasets: the migration sets the warning of those that will expire', async (db) => {
  await sql`drop index datasets_to_warn`.execute(db);
  for (const column of ['warn_ms', 'warn_at']) await db.schema.alterTable('datasets').dropColumn(column).execute();
  const day = 86_400_000;
  for (const [id, state, retention_ms] of [
    ...[['long', 'complete', 30 * day] as const, ['short', 'released', 3 * day] as const],
    ...[['never', 'complete', null] as const, ['over', 'expired', 30 * day] as const],
  ]) {
    const { warn_ms: _, warn_at: __, ...row } = draft(id);
    const expires_at = retention_ms && retention_ms + 1000;
    await sql`insert into datasets ${sql.raw(`(${Object.keys(row).join(', ')})`)} values (${sql.join(
      Object.values({ ...row, state, retention_ms, completed_at: 1000, expires_at }),
    )})`.execute(db);
  }
  await WARNINGS_MIGRATION.up(db);
  const found = await Promise.all(['long', 'short', 'never', 'over'].map((id) => findDataset(db, id)));
  assert.deepEqual(
    found.map((row) => row?.warn_at),
    [1000 + 23 * day, 1000 + 1.5 * day, null, null],
  );
});

testDatabases(
  'datasets: files change the sums, and a dataset with a file or an upload is not forgotten',
  async (db) => {
    await insertDataset(db, draft('d1'));
    const file = { ...draftFile('f1', 500), dataset_id: 'd1', metadata: '{"path":"g1/s/a.bin"}' };
    await transact(db, (tx) => insertFile(tx, file));
    await transact(db, (tx) => insertFile(tx, { ...draftFile('f2', 100), dataset_id: 'd1', created_at: 5000 }));
    const sums = await findDataset(db, 'd1');
    assert.deepEqual([sums?.files, sums?.bytes, sums?.first_arrival_at, sums?.last_arrival_at], [2, 600, 4000, 5000]);
    const { itself, below } = await sumDatasetFolders(db, 'd1', '');
    assert.deepEqual(
      [itself?.files, itself?.bytes, itself?.newest, below],
      [...[2, 600, 5000], [{ parent: '', name: 'g1', files: 1, bytes: 500, newest: 4000 }]],
    );
    assert.deepEqual(
      (await sumDatasetFolders(db, 'd1', 'g1')).below.map(({ name }) => name),
      ['s'],
    );
    assert.equal((await sumDatasetFolders(db, 'd1', 'g')).itself, null);
    await insertRow(db, { dataset_id: 'd1' });
    await markDatasetDeleted(db, 'd1', 6000);
    assert.equal(await transact(db, (tx) => forgetDataset(tx, 'd1')), false);
    await transact(db, (tx) => markDeleted(tx, ['f1', 'f2'], 6000));
    assert.deepEqual([(await findAnyDataset(db, 'd1'))?.files, (await findAnyDataset(db, 'd1'))?.bytes], [0, 0]);
    assert.equal(await transact(db, (tx) => forgetDataset(tx, 'd1')), false);
    await db.updateTable('uploads').set({ status: 'cancelled' }).execute();
    assert.equal(await transact(db, (tx) => forgetDataset(tx, 'd1')), true);
    assert.equal(await findAnyDataset(db, 'd1'), undefined);
  },
);
