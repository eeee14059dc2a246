/** Forgets uploads that have ended. */
import { type Database, transact } from './database.ts';

/**
 * Forgets sessions that ended before `endedBeforeMs`, with their parts and keys, and trials that have ended. Files stay, and
 * what a link that is there has begun: it counts.
 *
 * @param limit how many at most, so that no transaction is long. @returns how many.
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

/** Forgets a trial that has ended, now. The sweep forgets those that are left. */
export async function forgetTrial(db: Database, id: string): Promise<void> {
  await transact(db, async (tx) => await deleteUploads(tx, [id]));
}

async function deleteUploads(tx: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.deleteFrom('parts').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('idempotency_keys').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('uploads').where('id', 'in', ids).execute();
}
