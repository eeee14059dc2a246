import assert from 'node:assert/strict';
import { draftDataset } from '../../datasets/draft.ts';
import { type Database, transact } from '../database.ts';
import { insertFile, markDeleted } from '../files.ts';
import { replaceEntry } from '../library/rows.ts';
import type { FileRow } from '../tables.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile } from '../test-rows.ts';
import { requestCheck } from './check-jobs.ts';
import {
  countByStatus,
  countExtra,
  findMovieSize,
  listByStatus,
  listDoubles,
  listExtra,
  listReferences,
} from './comparison.ts';
import { announce, forgetExpected, replaceNamed, withdraw } from './expected.ts';
import { changeDataset, findDataset, insertDataset } from './rows.ts';

const digest = (fill: number) => new Uint8Array(32).fill(fill);
let made = 0;

async function addDataset(db: Database): Promise<void> {
  await insertDataset(db, draftDataset('d1', 'ada', { name: 'grid' }, 1000));
}

async function addFile(db: Database, path: string, changes: Partial<FileRow> = {}): Promise<FileRow> {
  const id = `f${String(++made).padStart(3, '0')}`;
  const filename = path.split('/').at(-1) ?? '';
  const metadata = JSON.stringify({ path });
  const file = { ...draftFile(id, 100), filename, metadata, sha256: digest(made), dataset_id: 'd1', ...changes };
  await transact(db, (tx) => insertFile(tx, file));
  return file;
}

const announceAll = (db: Database, files: Parameters<typeof announce>[2]) =>
  transact(db, (tx) => announce(tx, 'd1', files));
const namesOf = async (db: Database, status: 'missing' | 'wrong' | 'present') =>
  (await listByStatus(db, 'd1', status, { after: null, limit: 10 })).map(({ path }) => path);

testDatabases('expected: an announced file is there with its size and digest, and wrong with others', async (db) => {
  await addDataset(db);
  const all = ['a', 'b', 'c', 'd'].map((path) => ({
    path,
    size: 100 as number | null,
    sha256: null as Uint8Array | null,
  }));
  assert.equal(await announceAll(db, all), 4);
  assert.equal(
    await announceAll(db, [
      { path: 'b', size: null, sha256: digest(77) },
      { path: 'c', size: 99, sha256: null },
    ]),
    4,
  );
  await addFile(db, 'a');
  await addFile(db, 'b');
  await addFile(db, 'c');
  await addFile(db, 's/d');
  assert.deepEqual(await countByStatus(db, 'd1'), { present: 1, missing: 1, wrong: 2 });
  assert.deepEqual([await namesOf(db, 'missing'), await namesOf(db, 'wrong')], [['d'], ['b', 'c']]);
  const [wrong] = await listByStatus(db, 'd1', 'wrong', { after: { how: 'path', sought: 'a' }, limit: 1 });
  assert.deepEqual([wrong?.path, wrong?.sha256, wrong?.source], ['b', digest(77), '']);
  assert.deepEqual(
    (await listExtra(db, 'd1', { after: null, limit: 5 })).map(({ path }) => path),
    ['s/d'],
  );
  await addFile(db, 'b', { sha256: digest(77) });
  assert.deepEqual(await namesOf(db, 'wrong'), ['c']);
  assert.equal(await forgetExpected(db, 'd1', 3), 3);
  assert.equal(await forgetExpected(db, 'd1', 3), 1);
});

testDatabases('expected: an .mdoc file names movies in any folder, and the sections of its series', async (db) => {
  await addDataset(db);
  const mdoc = await addFile(db, 'TS_1.mrc.mdoc');
  const named = { frames: ['A.tif', 'b.tif'], references: ['Gain.mrc'], imageFile: 'TS_1.mrc', sections: 3 };
  await transact(db, (tx) => replaceNamed(tx, mdoc, named));
  await addFile(db, 'frames/a.tif');
  assert.deepEqual(await namesOf(db, 'missing'), ['b.tif', 'Gain.mrc']);
  assert.deepEqual(await countByStatus(db, 'd1'), { present: 1, missing: 2, wrong: 0 });
  const series = await addFile(db, 'TS_1.mrc', { mrc: '{"kind":"stack","nx":10,"ny":20,"nz":2}' });
  assert.deepEqual(await namesOf(db, 'wrong'), ['TS_1.mrc']);
  await transact(db, (tx) => replaceEntry(tx, { ...series, mrc: '{"kind":"stack","nx":10,"ny":20,"nz":3}' }));
  assert.deepEqual(await namesOf(db, 'wrong'), []);
  assert.equal(await countExtra(db, 'd1'), 0);
  await transact(db, (tx) => markDeleted(tx, [mdoc.id], 9000));
  assert.deepEqual(await countByStatus(db, 'd1'), { present: 0, missing: 0, wrong: 0 });
});

testDatabases('expected: what is announced is withdrawn by its paths, or all; what files name stays', async (db) => {
  await addDataset(db);
  await insertDataset(db, draftDataset('d2', 'ada', { name: 'other' }, 1000));
  const paths = Array.from({ length: 1200 }, (_, at) => `m${at}`);
  const files = paths.map((path) => ({ path, size: null, sha256: null }));
  await announceAll(db, files);
  await transact(db, (tx) => announce(tx, 'd2', files));
  const mdoc = await addFile(db, 'TS_1.mrc.mdoc');
  const named = { frames: ['m0', 'm1'], references: [], imageFile: null, sections: 2 };
  await transact(db, (tx) => replaceNamed(tx, mdoc, named));
  const take = (some: string[] | null) => transact(db, (tx) => withdraw(tx, 'd1', some));
  assert.equal(await take([...paths.slice(0, 700), 'none']), 500);
  assert.equal(await take(paths.slice(0, 700)), 500);
  const announcedOf = async (id: string) => Number((await findDataset(db, id))?.announced);
  assert.deepEqual([await announcedOf('d1'), await announcedOf('d2')], [500, 1200]);
  assert.equal(await take(null), 0);
  assert.deepEqual([await namesOf(db, 'missing'), await announcedOf('d1')], [['m0', 'm1'], 0]);
  assert.equal((await countByStatus(db, 'd2')).missing, 1200);
});

testDatabases('expected: an XML file of EPU asks for the movie that begins like it', async (db) => {
  await addDataset(db);
  await addFile(db, 'x/FoilHole_1_Data_2_3_20260101_120000.xml');
  await addFile(db, 'x/GridSquare_1.xml');
  assert.deepEqual(await namesOf(db, 'missing'), ['FoilHole_1_Data_2_3_20260101_120000*']);
  const movie = 'x/FoilHole_1_Data_2_3_20260101_120000_Fractions.tiff';
  await addFile(db, movie, { tiff: '{"kind":"stack","width":10,"height":20,"frames":40}' });
  assert.deepEqual(await namesOf(db, 'missing'), []);
  assert.deepEqual(
    (await listExtra(db, 'd1', { after: null, limit: 5 })).map(({ path }) => path),
    ['x/GridSquare_1.xml'],
  );
});

testDatabases(
  'expected: doubles by path and by content, and gain references with the size of the movies',
  async (db) => {
    await addDataset(db);
    await addFile(db, 'a', { sha256: digest(200), mrc: '{"kind":"stack","nx":10,"ny":20,"nz":40}' });
    await addFile(db, 'a', { mrc: '{"kind":"stack","nx":10,"ny":20,"nz":40}' });
    await addFile(db, 'b', { sha256: digest(200) });
    await addFile(db, 'gain_ref.mrc', { mrc: '{"kind":"stack","nx":20,"ny":10,"nz":1}' });
    await addFile(db, 'atlas.mrc', { mrc: '{"kind":"stack","nx":7,"ny":7,"nz":1}' });
    assert.deepEqual(
      await listDoubles(db, 'd1'),
      [
        { reason: 'path', path: 'a', files: 2 },
        { reason: 'digest', path: 'a', files: 2 },
      ].map((each) => ({ ...each })),
    );
    assert.deepEqual(
      (await listReferences(db, 'd1', 5)).map(({ path, width, height }) => [path, width, height]),
      [['gain_ref.mrc', 20, 10]],
    );
    assert.deepEqual(await findMovieSize(db, 'd1'), { width: 10, height: 20, files: 2 });
  },
);

testDatabases('expected: a check is requested once, and only when all may be there', async (db) => {
  await addDataset(db);
  const count = async () => (await db.selectFrom('jobs').selectAll().execute()).length;
  await transact(db, (tx) => changeDataset(tx, 'd1', { complete_when_whole: 1 }, 2000));
  await addFile(db, 'a');
  assert.equal(await count(), 0, 'nothing is expected of it');
  await announceAll(
    db,
    ['a', 'b'].map((path) => ({ path, size: null, sha256: null })),
  );
  await addFile(db, 'other/a', { metadata: '{}' });
  assert.equal(await count(), 1);
  await addFile(db, 'b');
  await requestCheck(db, 'd1', 'j2', 3000);
  assert.equal(await count(), 1);
  await db.updateTable('jobs').set({ status: 'running' }).execute();
  await requestCheck(db, 'd1', 'j2', 3000);
  assert.equal(await count(), 2);
});
