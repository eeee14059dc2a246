/** Fills a database with records of files and uploads, as they are after years of use. Their bytes do not exist. */
import { sql } from 'kysely';
import { draftDataset } from '../../packages/server/src/datasets/draft.ts';
import type { Database } from '../../packages/server/src/db/database.ts';
import { dialectOf } from '../../packages/server/src/db/dialect.ts';
import type { FolderRow } from '../../packages/server/src/db/tables.ts';
import { draftFile, draftRow } from '../../packages/server/src/db/test-rows.ts';
import { completeLibrary } from '../../packages/server/src/jobs/library.ts';

const PARTS = 4;
const FILES_PER_DATASET = 10_000;
/** Of the ids of datasets; a number follows. */
export const DATASET_PREFIX = '01ADATASET';
const LIFE_MS = 7 * 86_400_000;
/** Rows of one statement: PostgreSQL ends one that takes a minute. */
const BATCH = 50_000;
/** One of so many uploads still takes parts. */
const OPEN_EACH = 10;

export interface Counts {
  /** Of the records, by turns. */
  readonly owners: number;
  readonly files: number;
  readonly uploads: number;
}

/** @param ownerFirst owns as many of the records as each of the others. */
export async function fill(db: Database, ownerFirst: string, { owners, files, uploads }: Counts): Promise<void> {
  const nowMs = Date.now();
  /** Has the form of a ULID. */
  const id = (letter: string) => sql`${sql.lit(`01A${letter}${'0'.repeat(12)}`)} || ${digits(db)}`;
  const nth = sql`(i / ${sql.lit(OPEN_EACH)} % ${sql.lit(owners)})`;
  const owner = sql`case when ${nth} = 0 then ${sql.lit(ownerFirst)} else 'owner-' || ${nth} end`;
  const folder = sql`('session-' || (i / 5000) || '/grid-' || (i / 500 % 10) || '/raw')`;
  const size = sql`8000000 + (i % 100003) * 7919 % 1000003`;
  const dataset = sql`${sql.lit(DATASET_PREFIX)} || (i / ${sql.lit(FILES_PER_DATASET)})`;
  const createdAt = sql`${sql.lit(nowMs - files * 1000)} + i * 1000`;
  await insert(db, 'files', files, {
    ...draftFile('', 8_000_000),
    id: id('F'),
    upload_id: id('V'),
    owner,
    filename: sql`'movie-' || i || '.mrc'`,
    size,
    metadata: sql`'{"path":"' || ${folder} || '/movie-' || i || '.mrc","instrument":"krios-' || (i % 3)
      || '","sample":"ribosome ' || (i % 11) || '"}'`,
    created_at: createdAt,
    dataset_id: dataset,
  });
  await insert(db, 'library', files, {
    file_id: id('F'),
    owner,
    folder,
    path: sql`${folder} || '/movie-' || i || '.mrc'`,
    name: sql`'movie-' || i || '.mrc'`,
    size,
    created_at: createdAt,
    kind: '',
    dataset_id: dataset,
    instrument: sql`'krios-' || (i % 3)`,
    text: sql`${folder} || '/movie-' || i || '.mrc' || ${sql.lit('\n')} || 'instrument krios-' || (i % 3)
      || ${sql.lit('\n')} || 'sample ribosome ' || (i % 11)`,
  });
  await insertFolders(db);
  await insertDatasets(db, ownerFirst);
  const isOpen = sql`i % ${sql.lit(OPEN_EACH)} = 0`;
  await insert(db, 'uploads', uploads, {
    ...draftRow({ part_count: PARTS, size: 400, expires_at: nowMs + LIFE_MS }),
    id: id('W'),
    owner,
    status: sql`case when ${isOpen} then 'uploading' else 'completed' end`,
    filename: sql`'movie-' || i || '.mrc'`,
    fingerprint: sql`'fingerprint-' || i`,
    created_at: nowMs,
    // The last part of one came just now, of another one days ago.
    updated_at: sql`${sql.lit(nowMs)} - (i * 7919) % ${sql.lit(LIFE_MS)}`,
  });
  for (let idx = 0; idx < PARTS; idx++) {
    const sha256 = new Uint8Array(32);
    await insert(db, 'parts', uploads, { upload_id: id('W'), idx, sha256, receipt: null, stored_at: nowMs });
  }
  const usage = sql`insert into owner_usage (owner, files, bytes)
    select owner, count(*), sum(size) from files group by owner`;
  await usage.execute(db);
  await sql`analyze`.execute(db);
  await dialectOf(db).library.indexNew(db, files);
  // Finds nothing to do, or else the rows above are not those that a server makes.
  await completeLibrary(db, new AbortController().signal);
}

/** All of one owner, each with a list of its files that lacks one of a hundred. */
async function insertDatasets(db: Database, owner: string): Promise<void> {
  const { rows } = await sql<{ id: string; files: number; bytes: number }>`
    select dataset_id as id, count(*) as files, sum(size) as bytes from files group by dataset_id`.execute(db);
  for (const { id, files, bytes } of rows) {
    const row = draftDataset(id, owner, { name: `dataset ${id}`, project: 'bi-31' }, Date.now());
    await db
      .insertInto('datasets')
      .values({ ...row, files: Number(files), bytes: Number(bytes), announced: Number(files) })
      .execute();
  }
  await sql`
    insert into expected (dataset_id, source, how, sought, path)
    select dataset_id, '', 'path', case when id % 100 = 0 then path || '.gone' else path end, path from library`.execute(
    db,
  );
}

/** Of the three levels that the library has. */
async function insertFolders(db: Database): Promise<void> {
  const { rows } = await sql<FolderRow>`
    select owner, folder as name, count(*) as files, sum(size) as bytes, max(created_at) as newest
    from library group by owner, folder`.execute(db);
  const sums = new Map<string, FolderRow>();
  for (const { owner, name: path, files, bytes, newest } of rows) {
    const names = path.split('/');
    for (const [at, name] of names.entries()) {
      const parent = names.slice(0, at).join('/');
      const key = JSON.stringify([owner, parent, name]);
      const sum = sums.get(key) ?? { owner, parent, name, files: 0, bytes: 0, newest: 0 };
      sums.set(key, {
        ...sum,
        files: sum.files + files,
        bytes: sum.bytes + bytes,
        newest: Math.max(sum.newest, newest),
      });
    }
  }
  const all = [...sums.values()];
  while (all.length > 0) await db.insertInto('folders').values(all.splice(0, 500)).execute();
}

/** Inserts `count` rows; `i`, from 1, is at hand in the values. */
async function insert(db: Database, table: string, count: number, row: Record<string, unknown>): Promise<void> {
  const values = Object.values(row).map((value) => (isExpression(value) ? value : constant(db, value)));
  const columns = Object.keys(row).map((name) => sql.ref(name));
  for (let from = 1; from <= count; from += BATCH) {
    const to = Math.min(count, from + BATCH - 1);
    await sql`
      insert into ${sql.table(table)} (${sql.join(columns)})
      with recursive n(i) as (select ${sql.lit(from)} union all select i + 1 from n where i < ${sql.lit(to)})
      select ${sql.join(values)} from n`.execute(db);
  }
}

function isExpression(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'toOperationNode' in value;
}

/** PostgreSQL has to know the type of a value that is no literal. */
function constant(db: Database, value: unknown) {
  if (!(value instanceof Uint8Array)) return sql.lit(value);
  const hex = Buffer.from(value).toString('hex');
  return dialectOf(db).isShared ? sql`decode(${sql.lit(hex)}, 'hex')` : sql`unhex(${sql.lit(hex)})`;
}

/** `i` with ten digits. */
function digits(db: Database) {
  return dialectOf(db).isShared ? sql`right('0000000000' || i, 10)` : sql`substr('0000000000' || i, -10)`;
}
