/** Deletes the rows of uploads that have ended. */
import { type Database, transact } from '../database.ts';

/**
 * Deletes uploads that ended before `endedBeforeMs`, with their parts and keys, and ended trials. Files stay, and so do
 * the uploads of existing links, because they count.
 *
 * @param limit the maximum number, so that transactions stay short. @returns the number of deleted rows.
 */
export async function purgeUploads(db: Database, endedBeforeMs: number, limit: number): Promise<number> {
  return await transact(db, async (tx) => {
    const ended = await tx
      .selectFrom('uploads')
      .select('id')
      .where('status', 'in', ['completed', 'cancelled', 'expired'])
      .where((eb) =>
        eb.or([
          eb('is_trial', '=', 1),
          eb.and([
            eb('updated_at', '<', endedBeforeMs),
            eb.or([eb('link_id', 'is', null), eb('link_id', 'not in', eb.selectFrom('links').select('id'))]),
          ]),
        ]),
      )
      .limit(limit)
      .execute();
    const ids = ended.map((row) => row.id);
    await deleteUploads(tx, ids);
    return ids.length;
  });
}

/** Deletes an ended trial at once. The sweep deletes those that remain. */
export async function forgetTrial(db: Database, id: string): Promise<void> {
  await transact(db, async (tx) => await deleteUploads(tx, [id]));
}

async function deleteUploads(tx: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.deleteFrom('appends').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('pieces').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('signed_parts').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('parts').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('idempotency_keys').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('uploads').where('id', 'in', ids).execute();
}
