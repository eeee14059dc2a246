import { randomUUID } from 'node:crypto';
import { type Database, transact } from './database.ts';

/** Facts by which a bucket or a shared folder, and its database, know each other. */
export const DATABASE_ID = 'database_id';
export const SHARED_FOLDER_ID = 'shared_folder_id';
/** How far the scrub is. */
export const SCRUB = 'scrub';
/** How far stacks have been looked at, whether to compress them; by the numbers of the library. */
export const COMPRESSION_PLANNED = 'compression_planned';
/** The boot of the system at the last start. */
export const BOOT_ID = 'boot_id';
/** The timeline of PostgreSQL that the last events were numbered on. */
export const EVENT_TIMELINE = 'event_timeline';

/** Every file had its row in the library when a server last compared them; absent: not yet. */
export const LIBRARY_COMPLETE = 'library_complete';

/**
 * Compares the running system's boot id with the one of the last start and remembers the new one.
 *
 * When they differ, or the system has none (`bootId` null), the page cache may have been lost. The same transaction
 * marks every live upload, so that its parts are hashed again before they are used.
 *
 * @returns the number of marked uploads.
 */
export async function noteBoot(db: Database, bootId: string | null): Promise<number> {
  return await transact(db, async (tx) => {
    const known = await readFact(tx, BOOT_ID);
    if (bootId !== null && known === bootId) return 0;
    const marked = await tx
      .updateTable('uploads')
      .set({ must_recheck: 1 })
      .where('status', 'in', ['pending', 'uploading', 'verifying'])
      // A copy has no parts, and is made again.
      .where('copied_from', 'is', null)
      .executeTakeFirst();
    await writeFact(tx, BOOT_ID, bootId ?? '');
    return Number(marked.numUpdatedRows);
  });
}

export async function readFact(db: Database, name: string): Promise<string | undefined> {
  const fact = await db.selectFrom('facts').select('value').where('name', '=', name).executeTakeFirst();
  return fact?.value;
}

/** Names the database to a storage that may be used by others. */
export async function readDatabaseId(db: Database): Promise<string> {
  return await readOrMakeFact(db, DATABASE_ID, randomUUID);
}

/** Servers that start at once on one database agree on the value. */
export async function readOrMakeFact(db: Database, name: string, make: () => string): Promise<string> {
  await db
    .insertInto('facts')
    .values({ name, value: make() })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  return (await readFact(db, name)) as string;
}

export async function writeFact(db: Database, name: string, value: string): Promise<void> {
  await db
    .insertInto('facts')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Safe to repeat. */
export async function removeFact(db: Database, name: string): Promise<void> {
  await db.deleteFrom('facts').where('name', '=', name).execute();
}
