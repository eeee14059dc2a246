/** Fills a database with records of files and uploads, as they are after years of use. Their bytes do not exist. */
import { sql } from 'kysely';
import type { Database } from '../../packages/server/src/db/database.ts';
import { dialectOf } from '../../packages/server/src/db/dialect.ts';
import { draftFile, draftRow } from '../../packages/server/src/db/test-rows.ts';

const PARTS = 4;
const LIFE_MS = 7 * 86_400_000;
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
  await insert(db, 'files', files, {
    ...draftFile('', 8_000_000),
    id: id('F'),
    upload_id: id('V'),
    owner,
    filename: sql`'movie-' || i || '.mrc'`,
    created_at: nowMs,
  });
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
}

/** Inserts `count` rows; `i`, from 1, is at hand in the values. */
async function insert(db: Database, table: string, count: number, row: Record<string, unknown>): Promise<void> {
  const values = Object.values(row).map((value) => (isExpression(value) ? value : constant(db, value)));
  const columns = Object.keys(row).map((name) => sql.ref(name));
  await sql`
    insert into ${sql.table(table)} (${sql.join(columns)})
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(count)})
    select ${sql.join(values)} from n`.execute(db);
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
