/** Parts for which URLs of the storage were signed. Each has one digest: no other bytes get there by a signed URL. */
import type { Database } from '../database.ts';
import type { SignedPartRow } from '../tables.ts';

/**
 * Notes that URLs of these parts are signed. A part that was signed with another digest before keeps that one, and must
 * not be signed.
 *
 * @param expiresAtMs of the new URLs; URLs that were signed before may expire later.
 * @returns the parts that may be signed.
 */
export async function noteSigned(
  db: Database,
  uploadId: string,
  parts: readonly { idx: number; sha256: Uint8Array }[],
  expiresAtMs: number,
): Promise<Set<number>> {
  if (parts.length === 0) return new Set();
  const signed = await db
    .insertInto('signed_parts')
    .values(parts.map(({ idx, sha256 }) => ({ upload_id: uploadId, idx, sha256, expires_at: expiresAtMs })))
    .onConflict((conflict) =>
      conflict
        .columns(['upload_id', 'idx'])
        .doUpdateSet((eb) => ({
          expires_at: eb
            .case()
            .when('signed_parts.expires_at', '<', expiresAtMs)
            .then(expiresAtMs)
            .else(eb.ref('signed_parts.expires_at'))
            .end(),
        }))
        .whereRef('signed_parts.sha256', '=', 'excluded.sha256'),
    )
    .returning('idx')
    .execute();
  return new Set(signed.map(({ idx }) => idx));
}

export async function findSigned(db: Database, uploadId: string, idx: number): Promise<SignedPartRow | undefined> {
  return await db
    .selectFrom('signed_parts')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('idx', '=', idx)
    .executeTakeFirst();
}

/** Signed parts between two indices (inclusive), ascending, with the digest of the recorded part, if there is one. */
export async function listSigned(
  db: Database,
  uploadId: string,
  firstIdx: number,
  lastIdx: number,
): Promise<(SignedPartRow & { recorded: Uint8Array | null })[]> {
  return await db
    .selectFrom('signed_parts')
    .leftJoin('parts', (join) =>
      join.onRef('parts.upload_id', '=', 'signed_parts.upload_id').onRef('parts.idx', '=', 'signed_parts.idx'),
    )
    .selectAll('signed_parts')
    .select('parts.sha256 as recorded')
    .where('signed_parts.upload_id', '=', uploadId)
    .where('signed_parts.idx', '>=', firstIdx)
    .where('signed_parts.idx', '<=', lastIdx)
    .orderBy('signed_parts.idx')
    .execute();
}

/** The upload is published: its parts are not signed any more. Safe to repeat. */
export async function forgetSigned(db: Database, uploadId: string): Promise<void> {
  await db.deleteFrom('signed_parts').where('upload_id', '=', uploadId).execute();
}

/** A part is about to be sent through a server. Safe to repeat. */
export async function noteProxied(db: Database, uploadId: string): Promise<void> {
  await db.updateTable('uploads').set({ proxied: 1 }).where('id', '=', uploadId).where('proxied', '=', 0).execute();
}
