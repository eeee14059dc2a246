import type { Database } from './database.ts';

/**
 * Compares the running system's boot id with the one of the last start and remembers the new one.
 *
 * When they differ, or the system does not tell one (`bootId` null), what was in the page cache may be lost: in the same
 * transaction every live session is marked, so that its parts are hashed again before they are trusted.
 *
 * @returns how many sessions were marked.
 */
export async function noteBoot(db: Database, bootId: string | null): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const known = await tx.selectFrom('facts').select('value').where('name', '=', 'boot_id').executeTakeFirst();
    if (bootId !== null && known?.value === bootId) return 0;
    const marked = await tx
      .updateTable('uploads')
      .set({ must_recheck: 1 })
      .where('status', 'in', ['pending', 'uploading', 'verifying'])
      .executeTakeFirst();
    await tx
      .insertInto('facts')
      .values({ name: 'boot_id', value: bootId ?? '' })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: bootId ?? '' }))
      .execute();
    return Number(marked.numUpdatedRows);
  });
}
