/** Rows of appended uploads: what their protocol needs. */
import { OPEN_STATES } from '@cryolift/protocol/states';
import { sql } from 'kysely';
import type { AppendProtocol } from '../../append-protocol.ts';
import type { Database } from '../database.ts';
import type { AppendRow } from '../tables.ts';

export async function insertAppend(db: Database, row: AppendRow): Promise<void> {
  await appendInsert(db, row).execute();
}

/** The insert of such a row, for a unit that starts the upload. */
export function appendInsert(db: Database, row: AppendRow) {
  return db.insertInto('appends').values(row);
}

export async function findAppend(db: Database, uploadId: string): Promise<AppendRow | undefined> {
  return await db.selectFrom('appends').selectAll().where('upload_id', '=', uploadId).executeTakeFirst();
}

export async function changeAppend(
  db: Database,
  uploadId: string,
  changes: Partial<Omit<AppendRow, 'upload_id'>>,
): Promise<void> {
  await db.updateTable('appends').set(changes).where('upload_id', '=', uploadId).execute();
}

/** Open uploads of a protocol that ends with the last byte, all of whose bytes are recorded. */
export async function listWhole(db: Database, protocol: AppendProtocol): Promise<string[]> {
  const rows = await db
    .selectFrom('uploads')
    .select('id')
    // Literals, as in the partial index: SQLite does not use the index with parameters.
    .where(
      'status',
      'in',
      OPEN_STATES.map((state) => sql.lit(state)),
    )
    .where('door', '=', protocol)
    .where('is_partial', '=', 0)
    .where('is_growing', '=', 0)
    .whereRef('received_parts', '=', 'part_count')
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}
