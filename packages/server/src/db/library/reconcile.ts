/**
 * Compares the library with the files: adds those that are missing and removes those that are gone. After an upgrade all are
 * missing; later, those that servers of an earlier version publish beside this one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, transact } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { LIBRARY_COMPLETE, readFact, writeFact } from '../server-state.ts';
import { addMissing, removeEntries } from './rows.ts';

/** Ids per comparison. */
const WINDOW = 1_000;
/** Between windows and transactions: others are served. */
const PAUSE_MS = 5;
/** Rows per transaction: others wait for it. */
const BATCH = 250;

/** False until every file that there was has its row: what is counted and found may lack some. */
export async function isLibraryComplete(db: Database): Promise<boolean> {
  return (await readFact(db, LIBRARY_COMPLETE)) !== undefined;
}

/** Compares everything, in steps between which others are served. Safe to be ended anywhere, and to run on several servers. */
export async function reconcileLibrary(db: Database, signal: AbortSignal): Promise<void> {
  for (let after: string | null = ''; after !== null; ) {
    if (signal.aborted) return;
    after = await reconcileWindow(db, after, signal);
    await sleep(PAUSE_MS);
  }
  if (!signal.aborted && !(await isLibraryComplete(db))) await writeFact(db, LIBRARY_COMPLETE, '1');
}

/** @returns the id after which the next window begins; null: this was the last one. */
async function reconcileWindow(db: Database, after: string, signal: AbortSignal): Promise<string | null> {
  const files = await db
    .selectFrom('files')
    .select(['id', 'deleted_at'])
    .where('id', '>', after)
    .orderBy('id')
    .limit(WINDOW)
    .execute();
  const last = files.length < WINDOW ? null : (files.at(-1)?.id ?? null);
  let select = db.selectFrom('library').select('file_id').where('file_id', '>', after);
  if (last !== null) select = select.where('file_id', '<=', last);
  const listed = new Set((await select.orderBy('file_id').execute()).map(({ file_id }) => file_id));
  const present = new Set(files.flatMap(({ id, deleted_at }) => (deleted_at === null ? [id] : [])));
  await inBatches([...present.difference(listed)], signal, (ids) => add(db, ids));
  await inBatches([...listed.difference(present)], signal, (ids) => remove(db, ids));
  return last;
}

async function add(db: Database, ids: readonly string[]): Promise<void> {
  await transact(db, async (tx) => {
    const select = tx.selectFrom('files').selectAll().where('id', 'in', ids).where('deleted_at', 'is', null);
    await addMissing(tx, await dialectOf(tx).lockRows(select.orderBy('id')).execute());
  });
}

/** A file may have been published since its id was missing. */
async function remove(db: Database, ids: readonly string[]): Promise<void> {
  await transact(db, async (tx) => {
    const select = tx.selectFrom('files').select('id').where('id', 'in', ids).where('deleted_at', 'is', null);
    const present = new Set((await dialectOf(tx).lockRows(select.orderBy('id')).execute()).map(({ id }) => id));
    await removeEntries(
      tx,
      ids.filter((id) => !present.has(id)),
    );
  });
}

async function inBatches(
  ids: readonly string[],
  signal: AbortSignal,
  work: (ids: readonly string[]) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < ids.length && !signal.aborted; from += BATCH) {
    await work(ids.slice(from, from + BATCH));
    await sleep(PAUSE_MS);
  }
}
