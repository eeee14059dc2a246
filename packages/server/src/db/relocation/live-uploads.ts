/** Rows of uploads under way, which a relocation copies together with their bytes. */
import type { Database } from '../database.ts';
import type { PartRow, UploadRow } from '../tables.ts';
import { LIVE_STATES } from '../uploads/parts.ts';

/**
 * In the order of their ids. Trials are left out, because they are forgotten when they end, and so are parts of later
 * concatenations, which have pieces alone, and copies, which have no parts.
 */
export async function listLiveAfter(db: Database, after: string, limit: number): Promise<UploadRow[]> {
  return await db
    .selectFrom('uploads')
    .selectAll()
    .where('status', 'in', LIVE_STATES)
    .where('is_trial', '=', 0)
    .where('is_partial', '=', 0)
    .where('copied_from', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

export async function insertUpload(db: Database, row: UploadRow): Promise<void> {
  await db.insertInto('uploads').values(row).execute();
}

export async function insertPart(db: Database, part: PartRow): Promise<void> {
  await db.insertInto('parts').values(part).execute();
}

export async function changeUpload(db: Database, id: string, changes: Partial<UploadRow>): Promise<void> {
  await db.updateTable('uploads').set(changes).where('id', '=', id).execute();
}
