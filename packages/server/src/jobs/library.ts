/** Keeps the library complete, and the index of its texts. */
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { reconcileLibrary } from '../db/library/reconcile.ts';

/** Rows per transaction: the commits of parts wait for it, some 20 ms. */
const BATCH = 250;

/** Compares the library with the files; after an upgrade it is empty. */
export async function completeLibrary(db: Database, signal: AbortSignal): Promise<void> {
  await reconcileLibrary(db, signal);
  await indexTexts(db, signal);
}

/** Texts that are not indexed yet are read one by one by every search. */
export async function indexTexts(db: Database, signal: AbortSignal): Promise<void> {
  const { library } = dialectOf(db);
  while (!signal.aborted && (await library.indexNew(db, BATCH)) === BATCH);
}
