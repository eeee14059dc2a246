/** Rows of acknowledged parts. A row means that these bytes are stored, with this digest. */
import { type PartRanges, partExtent } from '@cryolift/protocol/plan';
import { OPEN_STATES, type UploadState } from '@cryolift/protocol/states';
import { sql } from 'kysely';
import { type Database, type Guard, transact } from '../database.ts';
import { runGuarded } from '../guarded.ts';
import { deleteLease, type HeldLease } from '../leases.ts';
import type { PartRow, UploadRow } from '../tables.ts';
import { selectUpload } from './uploads.ts';

/** How many rows one statement deletes. */
const BATCH = 500;
/** States of uploads whose parts are published, or are being published. */
export const LIVE_STATES: UploadState[] = [...OPEN_STATES, 'verifying'];
/** More missing ranges than this are not listed (page 7: `missing_truncated`). */
const MAX_RANGES = 1000;

export interface PartCommit {
  idx: number;
  sizeBytes: number;
  sha256: Uint8Array;
  receipt: string | null;
  /** Of the upload when the part was written: what was written elsewhere does not count. */
  storageRef: string | null;
  /** With which it was written; null: no other server uses the database. It is given back with the commit. */
  lease: HeldLease | null;
  nowMs: number;
  expiresAtMs: number;
  /** The header in part 0, for an MRC file. */
  header?: { mrc: string | null; warnings: string };
}

export type PartOutcome =
  | { kind: 'stored'; row: UploadRow }
  | { kind: 'exists'; part: PartRow }
  | { kind: 'closed'; row: UploadRow | undefined }
  /** The upload has another place in the storage since. */
  | { kind: 'moved' }
  /** Another server may have taken the part over. */
  | { kind: 'lease_lost' };

/** Records one part and counts it, in one transaction; refuses when the upload accepts no more parts. */
export async function commitPart(db: Database, uploadId: string, part: PartCommit): Promise<PartOutcome> {
  const insert = db
    .insertInto('parts')
    .values({
      upload_id: uploadId,
      idx: part.idx,
      sha256: part.sha256,
      receipt: part.receipt,
      stored_at: part.nowMs,
    })
    .onConflict((conflict) => conflict.columns(['upload_id', 'idx']).doNothing());
  const count = db
    .updateTable('uploads')
    .set((eb) => ({
      status: 'uploading' as const,
      received_parts: eb('received_parts', '+', 1),
      received_bytes: eb('received_bytes', '+', part.sizeBytes),
      updated_at: part.nowMs,
      expires_at: part.expiresAtMs,
      ...part.header,
    }))
    .where('id', '=', uploadId)
    .where('status', 'in', OPEN_STATES)
    .where('storage_ref', part.storageRef === null ? 'is' : '=', part.storageRef)
    .returningAll();
  // The lease first: then the renewal of leases never waits for a transaction that waits for a lease.
  const stored = selectPart(db, uploadId, part.idx).compile();
  const release = part.lease ? [{ write: deleteLease(db, part.lease).compile(), otherwise: stored }] : [];
  const { refusedAt, rows } = await runGuarded(db, [
    ...release,
    { write: insert.compile(), otherwise: stored },
    { write: count.compile(), otherwise: selectUpload(db, uploadId).compile() },
  ]);
  if (refusedAt === null) return { kind: 'stored', row: rows[0] as UploadRow };
  if (refusedAt > release.length) return explainRefusal(rows[0] as UploadRow | undefined);
  const [known] = rows as PartRow[];
  return known ? { kind: 'exists', part: known } : { kind: 'lease_lost' };
}

function explainRefusal(row: UploadRow | undefined): PartOutcome {
  return row && OPEN_STATES.includes(row.status) ? { kind: 'moved' } : { kind: 'closed', row };
}

export async function findPart(db: Database, uploadId: string, idx: number): Promise<PartRow | undefined> {
  return await selectPart(db, uploadId, idx).executeTakeFirst();
}

/** Recorded parts among these, by index. */
export async function findParts(
  db: Database,
  uploadId: string,
  indices: readonly number[],
): Promise<Map<number, PartRow>> {
  if (indices.length === 0) return new Map();
  const rows = await db
    .selectFrom('parts')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('idx', 'in', indices)
    .execute();
  return new Map(rows.map((row) => [row.idx, row]));
}

function selectPart(db: Database, uploadId: string, idx: number) {
  return db.selectFrom('parts').selectAll().where('upload_id', '=', uploadId).where('idx', '=', idx);
}

/** Stored parts from `fromIdx` on, ascending, at most `limit`. */
export async function listParts(db: Database, uploadId: string, fromIdx: number, limit: number): Promise<PartRow[]> {
  return await db
    .selectFrom('parts')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('idx', '>=', fromIdx)
    .orderBy('idx')
    .limit(limit)
    .execute();
}

/**
 * The gaps between stored parts, ascending. The database computes them, so that 10,000 stored parts cost one
 * pass over an index and not 10,000 objects.
 */
export async function findMissing(
  db: Database,
  row: Pick<UploadRow, 'id' | 'part_count' | 'received_parts'>,
): Promise<{ ranges: PartRanges; truncated: boolean }> {
  if (row.received_parts === row.part_count) return { ranges: [], truncated: false };
  if (row.received_parts === 0) return { ranges: [[0, row.part_count - 1]], truncated: false };
  // A gap begins before the first stored part, and behind every stored one whose successor is not.
  const gaps = await sql<{ stored: number; next: number | null }>`
    select -1 as stored, min(idx) as next from parts where upload_id = ${row.id} having min(idx) > 0
    union all
    select * from (
      select idx as stored, (select min(idx) from parts as n where n.upload_id = p.upload_id and n.idx > p.idx) as next
      from parts as p
      where upload_id = ${row.id} and idx < ${row.part_count - 1}
        and not exists (select 1 from parts as n where n.upload_id = p.upload_id and n.idx = p.idx + 1)
      order by idx limit ${MAX_RANGES + 1}
    ) as gaps`.execute(db);
  return {
    ranges: gaps.rows.slice(0, MAX_RANGES).map(({ stored, next }) => [stored + 1, (next ?? row.part_count) - 1]),
    truncated: gaps.rows.length > MAX_RANGES,
  };
}

/**
 * Invalidates parts whose bytes were lost: deletes their rows and updates the counters in one transaction. An upload in
 * verification that lacks parts accepts parts again, at least until `expiresAtMs`. Does nothing for an upload that has
 * ended.
 *
 * @param guard throws when the transaction must not be committed.
 * @returns the row after that, or undefined when the upload has ended.
 */
export async function forgetParts(
  db: Database,
  row: Pick<UploadRow, 'id' | 'size' | 'part_size' | 'part_count'>,
  lost: readonly number[],
  { nowMs, expiresAtMs }: { nowMs: number; expiresAtMs: number },
  guard: Guard = async () => {},
): Promise<UploadRow | undefined> {
  return await transact(db, async (tx) => {
    await guard(tx);
    const live = await tx
      .updateTable('uploads')
      .set({ must_recheck: 0 })
      .where('id', '=', row.id)
      .where('status', 'in', LIVE_STATES)
      .returningAll()
      .executeTakeFirst();
    if (!live) return undefined;
    await deleteParts(tx, row.id, lost);
    const kept = await tx.selectFrom('parts').select('idx').where('upload_id', '=', row.id).execute();
    const keptBytes = kept.reduce((sum, { idx }) => sum + partExtent(row.size, row.part_size, idx).length, 0);
    const isReopened = live.status === 'verifying' && kept.length < row.part_count;
    return await tx
      .updateTable('uploads')
      .set({
        received_parts: kept.length,
        received_bytes: keptBytes,
        ...(isReopened
          ? { status: 'uploading', updated_at: nowMs, expires_at: Math.max(live.expires_at, expiresAtMs) }
          : {}),
      })
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirst();
  });
}

/** Deletes rows alone; the counters of the upload stay as they are. */
export async function deleteParts(db: Database, uploadId: string, indices: readonly number[]): Promise<void> {
  for (let at = 0; at < indices.length; at += BATCH) {
    const batch = indices.slice(at, at + BATCH);
    await db.deleteFrom('parts').where('upload_id', '=', uploadId).where('idx', 'in', batch).execute();
  }
}
