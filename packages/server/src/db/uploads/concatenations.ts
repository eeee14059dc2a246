/** Rows of concatenations: uploads that are made of partial uploads, and these. */
import { OPEN_STATES } from '@cryolift/protocol/states';
import { type Database, transact } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import type { UploadRow } from '../tables.ts';

/**
 * Gives partial uploads to a concatenation, which counts their bytes from now on if its length is known.
 *
 * @param tx a transaction. @returns false when one of them has ended, or another concatenation has it: to be rolled back.
 */
export async function claimPartials(
  tx: Database,
  { id, is_growing }: Pick<UploadRow, 'id' | 'is_growing'>,
  partialIds: readonly string[],
  expiresAtMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('uploads')
    .set({ final_id: id, is_counted: is_growing, expires_at: expiresAtMs })
    .where('id', 'in', partialIds)
    .where('is_partial', '=', 1)
    .where('final_id', 'is', null)
    .where('status', 'in', OPEN_STATES)
    .executeTakeFirst();
  return Number(numUpdatedRows) === partialIds.length;
}

/** A concatenation goes on: neither it nor what it is made of expires meanwhile. */
export async function keepConcatenation(db: Database, finalId: string, expiresAtMs: number): Promise<void> {
  await db
    .updateTable('uploads')
    .set({ expires_at: expiresAtMs })
    .where((eb) => eb.or([eb('id', '=', finalId), eb('final_id', '=', finalId)]))
    .where('status', 'in', OPEN_STATES)
    .execute();
}

/** The partial uploads of a concatenation whose rows exist, in any order. */
export async function listPartials(db: Database, finalId: string): Promise<UploadRow[]> {
  return await db.selectFrom('uploads').selectAll().where('final_id', '=', finalId).execute();
}

/**
 * The length of a concatenation is known: that of its partial uploads, whose bytes it counts from now on.
 *
 * @returns the row after that; undefined when it has ended.
 */
export async function sizeConcatenation(
  db: Database,
  { id, owner }: Pick<UploadRow, 'id' | 'owner'>,
  plan: Pick<UploadRow, 'size' | 'part_count'>,
): Promise<UploadRow | undefined> {
  return await transact(db, async (tx) => {
    await dialectOf(tx).lock(tx, { owner });
    const row = await tx
      .updateTable('uploads')
      .set({ ...plan, is_growing: 0 })
      .where('id', '=', id)
      .where('is_growing', '=', 1)
      .where('status', 'in', OPEN_STATES)
      .returningAll()
      .executeTakeFirst();
    if (row) await tx.updateTable('uploads').set({ is_counted: 0 }).where('final_id', '=', id).execute();
    return row;
  });
}

/** Concatenations that are not finished. */
export async function listConcatenations(db: Database): Promise<string[]> {
  const rows = await db
    .selectFrom('appends')
    .innerJoin('uploads', 'uploads.id', 'appends.upload_id')
    .select('uploads.id')
    .where('appends.sources', 'is not', null)
    .where('uploads.status', 'in', OPEN_STATES)
    .orderBy('uploads.id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Partial uploads of concatenations that have ended without taking their bytes. */
export async function listForsaken(db: Database): Promise<string[]> {
  const rows = await db
    .selectFrom('uploads as partial')
    .leftJoin('uploads as final', 'final.id', 'partial.final_id')
    .select('partial.id')
    .where('partial.final_id', 'is not', null)
    .where('partial.status', 'in', OPEN_STATES)
    .where((eb) => eb.or([eb('final.id', 'is', null), eb('final.status', 'not in', [...OPEN_STATES, 'verifying'])]))
    .execute();
  return rows.map(({ id }) => id);
}
