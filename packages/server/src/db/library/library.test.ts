import assert from 'node:assert/strict';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { findFiles, insertFile, markDeleted, replaceMetadata } from '../files.ts';
import type { FileRow } from '../tables.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile } from '../test-rows.ts';
import { foldText } from './entry.ts';
import { findFolder, listFolders } from './folders.ts';
import type { LibraryQuery } from './query.ts';
import { isLibraryComplete, reconcileLibrary } from './reconcile.ts';
import { type Position, searchLibrary } from './search.ts';
import { askLibrary } from './test-query.ts';

const NEVER = new AbortController().signal;

function draft(at: number, changes: Partial<FileRow> & { path?: string } = {}): FileRow {
  const { path, ...row } = changes;
  const id = `file-${String(at).padStart(6, '0')}`;
  const metadata = JSON.stringify(path === undefined ? {} : { path });
  return { ...draftFile(id, at), filename: path?.split('/').at(-1) ?? `${id}.mrc`, metadata, created_at: at, ...row };
}

function ask(changes: Partial<LibraryQuery> & { q?: string } = {}): LibraryQuery {
  const { q, ...query } = changes;
  return askLibrary({ words: q === undefined ? [] : foldText(q).split(' '), ...query });
}

async function publish(db: Database, ...files: FileRow[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const file of files) await insertFile(tx, file);
  });
}

async function find(db: Database, query: LibraryQuery): Promise<number[]> {
  const { fileIds, next, count } = await searchLibrary(db, query, null, 100);
  assert.deepEqual([next, count], [null, { total: fileIds.length, isMore: false }]);
  return fileIds.map((id) => Number(id.slice(-6)));
}

async function sums(db: Database, path: string): Promise<number[] | null> {
  const folder = await findFolder(db, 'ada', path);
  return folder ? [folder.files, folder.bytes, folder.newest] : null;
}

/** Words as they are, and as a search is broken by them. */
const TEXTS = [
  'Grid_7',
  '100%',
  'a"b',
  "o'neil",
  'x*y',
  'NEAR(a',
  'Ünïcode',
  'İzmir',
  '🧊ice',
  'שלום',
  '\\back',
  '-dash',
  'é',
];

testDatabases('library: words are found in name, path and metadata, in any case, indexed or not', async (db) => {
  await publish(
    db,
    ...TEXTS.map((text, at) => draft(at + 1, { metadata: JSON.stringify({ note: `the ${text} sample` }) })),
    draft(50, { path: 'Session/GRID/movie.mrc' }),
    draft(51, { owner: 'bob', filename: 'movie.mrc' }),
  );
  for (const isIndexed of [false, true]) {
    if (isIndexed) await dialectOf(db).library.indexNew(db, 1_000);
    for (const [at, text] of TEXTS.entries()) {
      assert.ok((await find(db, ask({ q: text }))).includes(at + 1), text);
      assert.deepEqual(
        await find(db, ask({ q: `${text.toUpperCase()} SAMPLE ${text}` })).then((each) => each.includes(at + 1)),
        text.toUpperCase().toLowerCase() === text.toLowerCase(),
        text,
      );
    }
    assert.deepEqual(await find(db, ask({ q: 'session' })), [50]);
    assert.deepEqual(await find(db, ask({ q: 'MOVIE grid' })), [50]);
    assert.deepEqual(await find(db, ask({ q: 'movie sample' })), []);
    assert.deepEqual(await find(db, ask({ q: '%' })), [2]);
    assert.deepEqual(await find(db, ask({ q: '_7' })), [1]);
    assert.deepEqual(await find(db, ask({ q: 'Grid%7' })), []);
  }
});

testDatabases('library: a changed or deleted file is found by what it is now', async (db) => {
  const file = draft(1, { path: 'a/b/one.mrc', size: 10 });
  await publish(db, file, draft(2, { path: 'a/two.mrc', size: 5 }));
  await dialectOf(db).library.indexNew(db, 10);
  await replaceMetadata(db, file.id, file.metadata, '{"path":"c/one.mrc","kind":"krios"}');
  assert.deepEqual(await find(db, ask({ q: 'krios' })), [1]);
  assert.deepEqual(await find(db, ask({ q: 'a/b' })), []);
  assert.deepEqual([await sums(db, 'a'), await sums(db, 'a/b'), await sums(db, 'c')], [[1, 5, 2], null, [1, 10, 1]]);
  await dialectOf(db).library.indexNew(db, 10);
  assert.deepEqual(await find(db, ask({ q: 'krios' })), [1]);
  assert.equal((await markDeleted(db, [file.id, file.id, 'none'], 9)).length, 1);
  assert.deepEqual(await find(db, ask({ q: 'krios' })), []);
  assert.deepEqual(await find(db, ask()), [2]);
  assert.equal(await sums(db, 'c'), null);
});

testDatabases('library: folders have the sums of all below, and their newest file after deletions', async (db) => {
  await publish(
    db,
    draft(1, { path: '/s//g1/./raw/../a.mrc', size: 1 }),
    draft(2, { path: 's/g1/raw/b.mrc', size: 2 }),
    draft(3, { path: 's/g2/c.mrc', size: 4 }),
    draft(4, { path: 't/d.mrc', size: 8 }),
    draft(5, { size: 16 }),
  );
  assert.deepEqual(
    [await sums(db, 's'), await sums(db, 's/g1'), await sums(db, 's/g2')],
    [
      [3, 7, 3],
      [2, 3, 2],
      [1, 4, 3],
    ],
  );
  const names = async (parent: string) =>
    (await listFolders(db, 'ada', parent, { after: null, limit: 9 })).map((each) => each.name);
  assert.deepEqual([await names(''), await names('s'), await names('s/g1')], [['s', 't'], ['g1', 'g2'], ['raw']]);
  await markDeleted(db, ['file-000003'], 9);
  assert.deepEqual([await sums(db, 's'), await sums(db, 's/g2')], [[2, 3, 2], null]);
  await markDeleted(db, ['file-000001', 'file-000002', 'file-000004'], 9);
  assert.deepEqual(await names(''), []);
});

testDatabases('library: prefix, folder, kind, size and time select, together', async (db) => {
  const mrc = JSON.stringify({ kind: 'volume' });
  await publish(
    db,
    draft(1, { path: 'a/b/one.mrc', mrc }),
    draft(2, { path: 'a/bc/two.mrc', mrc }),
    draft(3, {
      path: 'a/x.mrc',
      metadata: JSON.stringify({ path: 'a/x.mrc', kind: 'stack', instrument: 'Krios' }),
      mrc,
    }),
    draft(4, { path: 'a_b/four.bin' }),
    draft(5),
  );
  assert.deepEqual(await find(db, ask({ prefix: 'a/' })), [3, 2, 1]);
  assert.deepEqual(await find(db, ask({ prefix: 'a/b' })), [2, 1]);
  assert.deepEqual(await find(db, ask({ prefix: 'a/b/' })), [1]);
  assert.deepEqual(await find(db, ask({ prefix: 'a' })), [4, 3, 2, 1]);
  assert.deepEqual(await find(db, ask({ prefix: 'file-' })), [5]);
  assert.deepEqual(await find(db, ask({ folder: 'a' })), [3]);
  assert.deepEqual(await find(db, ask({ folder: '' })), [5]);
  assert.deepEqual(await find(db, ask({ kind: 'volume' })), [2, 1]);
  assert.deepEqual(await find(db, ask({ kind: 'stack', instrument: 'Krios' })), [3]);
  assert.deepEqual(await find(db, ask({ kind: '' })), [5, 4]);
  assert.deepEqual(await find(db, ask({ minSize: 2, maxSize: 4, untilMs: 4 })), [3, 2]);
  assert.deepEqual(await find(db, ask({ sinceMs: 2, untilMs: 4, prefix: 'a/b', q: 'TWO' })), [2]);
});

testDatabases('library: a path that is too long for an index is in its longest ancestor, and found', async (db) => {
  const long = Array.from({ length: 40 }, (_, at) => `level-${at}-${'ü'.repeat(20)}`);
  await publish(
    db,
    draft(1, { path: `${long.join('/')}/deep.mrc` }),
    draft(2, { path: `${'n'.repeat(3000)}/wide.mrc` }),
  );
  assert.equal((await sums(db, long[0] as string))?.[0], 1);
  assert.deepEqual(await find(db, ask({ q: 'deep.mrc level-39' })), [1]);
  assert.deepEqual(await find(db, ask({ prefix: `${long.slice(0, 39).join('/')}/` })), [1]);
  assert.deepEqual(await find(db, ask({ folder: long.join('/') })), [1]);
  assert.deepEqual(await find(db, ask({ folder: long.slice(0, 39).join('/') })), []);
  assert.deepEqual(await find(db, ask({ prefix: 'n'.repeat(2999) })), [2]);
});

testDatabases('library: pages in every order have each file once, also those with equal keys', async (db) => {
  await publish(
    db,
    ...Array.from({ length: 45 }, (_, at) =>
      draft(at + 1, { size: at % 3, created_at: at % 4, filename: `n${at % 5}` }),
    ),
  );
  for (const sort of ['created_at', 'filename', 'size'] as const) {
    for (const isDescending of [true, false]) {
      const ids: string[] = [];
      let after: Position | null = null;
      do {
        const page: Awaited<ReturnType<typeof searchLibrary>> = await searchLibrary(
          db,
          ask({ sort, isDescending }),
          after,
          7,
        );
        assert.deepEqual(page.count, { total: 45, isMore: false });
        ids.push(...page.fileIds);
        after = page.next;
      } while (after);
      assert.equal(new Set(ids).size, 45);
      const rows = await findFiles(db, ids);
      const keys = rows.map((row) => row[sort]);
      const sorted = keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      assert.deepEqual(keys, isDescending ? sorted.reverse() : sorted);
    }
  }
});

testDatabases('library: it is made of files that have no row in it, and loses rows without a file', async (db) => {
  const files = Array.from({ length: 1_300 }, (_, at) => draft(at + 1, { path: `s/g${at % 3}/m${at}.mrc`, size: 1 }));
  for (let from = 0; from < files.length; from += 100)
    await db
      .insertInto('files')
      .values(files.slice(from, from + 100))
      .execute();
  await db.updateTable('files').set({ deleted_at: 5 }).where('id', '=', 'file-000007').execute();
  assert.equal(await isLibraryComplete(db), false);
  await Promise.all([reconcileLibrary(db, NEVER), reconcileLibrary(db, NEVER)]);
  assert.equal(await isLibraryComplete(db), true);
  assert.deepEqual(await sums(db, 's'), [1_299, 1_299, 1_300]);
  // As a server of an earlier version deletes.
  await db.deleteFrom('files').where('id', 'in', ['file-001300', 'file-000008']).execute();
  await reconcileLibrary(db, NEVER);
  assert.deepEqual(await sums(db, 's'), [1_297, 1_297, 1_299]);
  assert.deepEqual(await find(db, ask({ q: 'm1298.mrc' })), [1_299]);
});
