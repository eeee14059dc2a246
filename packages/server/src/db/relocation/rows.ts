/** Copies the rows of one database to another, in batches that can be continued, and compares them. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type Database, transact } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { removeFact, SHARED_FOLDER_ID } from '../server-state.ts';
import type { Tables } from '../tables.ts';
import { anyTable, type CopiedTable, KEYS, type Row, SCHEMA_FACTS, STORAGE_FACTS } from './copied-tables.ts';
import { type RowPosition, type TargetMark, writeMark } from './marks.ts';

/** 25 columns of so many rows are below the number of parameters that both databases take. */
const BATCH = 500;
/** Tables that a server fills only when somebody uses it. */
const USED: readonly (keyof Tables)[] = ['uploads', 'files', 'links', 'events'];

export interface CountedRows {
  readonly table: string;
  readonly rows: number;
}

/** The number of rows that are copied of each table. */
export async function countRows(db: Database, tables: readonly CopiedTable[]): Promise<CountedRows[]> {
  const counted: CountedRows[] = [];
  for (const { name, only } of tables) {
    let select = anyTable(db)
      .selectFrom(name)
      .select(({ fn }) => fn.countAll<number>().as('rows'));
    if (only) select = select.where(only);
    counted.push({ table: name, rows: Number((await select.executeTakeFirstOrThrow()).rows) });
  }
  return counted;
}

/** True when no upload was ever started in it. */
export async function isUnused(db: Database): Promise<boolean> {
  for (const table of USED) {
    if (await anyTable(db).selectFrom(table).select(sql`1`.as('one')).limit(1).executeTakeFirst()) return false;
  }
  return true;
}

/** What an unused database knows of a shared folder that a server on it was started with. */
export async function forgetFolder(db: Database): Promise<void> {
  await removeFact(db, SHARED_FOLDER_ID);
}

/**
 * Removes every row and writes the mark.
 *
 * @param storageStays false: the ids by which the storage of the target and the database know each other are kept.
 */
export async function emptyTables(db: Database, mark: TargetMark, storageStays: boolean): Promise<void> {
  const kept = storageStays ? SCHEMA_FACTS : [...SCHEMA_FACTS, ...STORAGE_FACTS];
  await transact(db, async (tx) => {
    for (const name of Object.keys(KEYS)) {
      const all = anyTable(tx).deleteFrom(name);
      await (name === 'facts' ? all.where('name', 'not in', kept) : all).execute();
    }
    await writeMark(tx, mark);
  });
}

/**
 * Copies the rows from `mark.at` on. Each batch is committed with its position.
 *
 * @param onBatch is called with the number of rows of each committed batch; what it throws ends the copy.
 */
export async function copyRows(
  source: Database,
  target: Database,
  tables: readonly CopiedTable[],
  mark: TargetMark,
  onBatch: (rows: number) => void,
): Promise<void> {
  await dialectOf(source).numberEvents(source);
  const first = mark.at ? tables.findIndex(({ name }) => name === mark.at?.table) : 0;
  for (const table of tables.slice(first)) {
    let after = mark.at?.table === table.name ? mark.at.after : null;
    for (;;) {
      const rows = await readBatch(source, table, after);
      if (rows.length === 0) break;
      after = keyOf(table, rows.at(-1) as Row);
      await writeBatch(target, table, rows, { ...mark, at: { table: table.name, after } });
      onBatch(rows.length);
    }
  }
  await dialectOf(target).continueNumbers(target, await dialectOf(source).findLastNumber(source));
}

/** @returns the tables whose rows differ. */
export async function compareRows(
  source: Database,
  target: Database,
  tables: readonly CopiedTable[],
  onBatch: () => void,
): Promise<string[]> {
  const different: string[] = [];
  for (const table of tables) {
    const [before, after] = [await digestRows(source, table, onBatch), await digestRows(target, table, onBatch)];
    if (before !== after) different.push(table.name);
  }
  return different;
}

async function readBatch(db: Database, table: CopiedTable, after: RowPosition['after'] | null): Promise<Row[]> {
  const { name, keys, only } = table;
  let select = anyTable(db).selectFrom(name).selectAll();
  if (only) select = select.where(only);
  if (after) {
    const columns = sql.join(keys.map((key) => sql.ref(key)));
    select = select.where(sql<boolean>`(${columns}) > (${sql.join(after)})`);
  }
  for (const key of keys) select = select.orderBy(key);
  return await select.limit(BATCH).execute();
}

async function writeBatch(db: Database, table: CopiedTable, rows: Row[], mark: TargetMark): Promise<void> {
  await transact(db, async (tx) => {
    const insert = anyTable(tx).insertInto(table.name).values(rows.map(table.change));
    // Those that name the storage of the target are there already.
    await (table.name === 'facts'
      ? insert.onConflict((conflict) => conflict.column('name').doNothing())
      : insert
    ).execute();
    await writeMark(tx, mark);
  });
}

/** SHA-256 over the rows in the order of their keys. */
async function digestRows(db: Database, table: CopiedTable, onBatch: () => void): Promise<string> {
  const hash = createHash('sha256');
  for (let after: RowPosition['after'] | null = null; ; ) {
    const rows: Row[] = await readBatch(db, table, after);
    onBatch();
    for (const row of rows) hash.update(printRow(table.change(row)));
    const last = rows.at(-1);
    if (!last) return hash.digest('hex');
    after = keyOf(table, last);
  }
}

function keyOf({ keys }: CopiedTable, row: Row): RowPosition['after'] {
  return keys.map((key) => row[key] as string | number);
}

/** The same text for the same row of any database. */
function printRow(row: Row): string {
  const columns = Object.keys(row).sort();
  const values = columns.map((column) => {
    const value = row[column];
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  });
  return `${JSON.stringify([columns, values])}\n`;
}
