/** Searches among so many files that not all of them can be read at once. */
import assert from 'node:assert/strict';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { testDatabases } from '../test-databases.ts';
import type { LibraryQuery } from './query.ts';
import { type Position, searchLibrary } from './search.ts';
import { askLibrary } from './test-query.ts';

/** More than are read as a whole. */
const FILES = 25_000;
/** Of ten words that each file has one of; so many have the same one. */
const COMMON = FILES / 10;

/** Files 1 to 25,000: the words `every`, `sort-0` to `sort-9` and `nr00001` to `nr25000`. */
async function insertMany(db: Database): Promise<void> {
  const digits = dialectOf(db).isShared ? sql`right('0000' || i, 5)` : sql`substr('0000' || i, -5)`;
  const values: Record<string, RawBuilder<unknown>> = {
    file_id: sql`'file-' || ${digits}`,
    owner: sql`'ada'`,
    folder: sql`''`,
    path: sql`'m.mrc'`,
    name: sql`'m' || (i * 7919 % 25000)`,
    size: sql`i * 7919 % 25000`,
    created_at: sql`i`,
    kind: sql`''`,
    instrument: sql`''`,
    text: sql`'every sort-' || (i % 10) || ' nr' || ${digits}`,
  };
  await sql`
    insert into library (${sql.join(Object.keys(values).map((name) => sql.ref(name)))})
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(FILES)})
    select ${sql.join(Object.values(values))} from n`.execute(db);
  await sql`insert into owner_usage (owner, files, bytes) values ('ada', ${sql.lit(FILES)}, 1)`.execute(db);
  await sql`analyze`.execute(db);
  await dialectOf(db).library.indexNew(db, FILES);
}

function ask(words: readonly string[], changes: Partial<LibraryQuery> = {}): LibraryQuery {
  return askLibrary({ words, ...changes });
}

/** The numbers of all files of all pages. A page may be empty. */
async function readPages(db: Database, query: LibraryQuery, limit: number): Promise<number[]> {
  const numbers: number[] = [];
  let after: Position | null = null;
  do {
    const page: Awaited<ReturnType<typeof searchLibrary>> = await searchLibrary(db, query, after, limit);
    assert.ok(page.fileIds.length <= limit);
    numbers.push(...page.fileIds.map((id) => Number(id.slice(-5))));
    after = page.next;
  } while (after);
  return numbers;
}

testDatabases('library of many files: words that many have, and that few have, alone and together', async (db) => {
  await insertMany(db);
  const every = await searchLibrary(db, ask(['every']), null, 3);
  assert.deepEqual([every.fileIds, every.count], [['file-25000', 'file-24999', 'file-24998'], null]);
  for (const [words, count] of [
    [['every', 'nr12345'], 1],
    [['every', 'sort-3'], COMMON],
  ] as const) {
    const found = await searchLibrary(db, ask(words), null, 3);
    // PostgreSQL has no count where a busy machine has not found them in time; then they are read in order.
    if (found.count !== null || !dialectOf(db).isShared) assert.deepEqual(found.count, { total: count, isMore: false });
    assert.equal((await readPages(db, ask(words), 1_000)).length, count);
  }
  assert.deepEqual(await readPages(db, ask(['every', 'nr12345']), 3), [12_345]);
  assert.deepEqual(await readPages(db, ask(['every', 'nr99999']), 9), []);
  assert.deepEqual(await readPages(db, ask(['sort-3', 'sort-4']), 9), []);
});

testDatabases('library of many files: a letter is found in every order, each file once; none ends', async (db) => {
  await insertMany(db);
  assert.deepEqual(await readPages(db, ask(['é']), 100), []);
  for (const sort of ['created_at', 'filename', 'size'] as const) {
    // No sequence of three characters: rows are read in order.
    const numbers = await readPages(db, ask(['t', '-7'], { sort }), 1_000);
    assert.equal(numbers.length, COMMON);
    assert.equal(new Set(numbers).size, COMMON);
    assert.ok(numbers.every((nr) => nr % 10 === 7));
    if (sort === 'created_at')
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => b - a),
      );
  }
});
