/** Times that were stored while the clock was ahead. After it is corrected, they would put work off by as much. */
import { sql } from 'kysely';
import { type Database, transact } from './database.ts';

/**
 * Makes due what no wait explains: jobs that were postponed, and deliveries that were made or postponed, at a time that is
 * still to come.
 *
 * @param maxDeliveryWaitMs the longest wait for the next attempt of a delivery.
 */
export async function correctDueTimes(db: Database, nowMs: number, maxDeliveryWaitMs: number): Promise<void> {
  await transact(db, async (tx) => {
    await tx
      .updateTable('jobs')
      .set({ run_at: nowMs, updated_at: nowMs })
      .where('status', '=', 'waiting')
      .where('updated_at', '>', nowMs)
      .execute();
    await tx
      .updateTable('deliveries')
      .set({
        next_at: nowMs,
        due_at: sql<number | null>`case when due_at is null then due_at else ${nowMs} end`,
        created_at: earlier('created_at', nowMs),
      })
      .where(({ or, eb }) => or([eb('created_at', '>', nowMs), eb('next_at', '>', nowMs + maxDeliveryWaitMs)]))
      .execute();
  });
}

/**
 * Uploads and events that were last changed at a time that is still to come have been changed now.
 *
 * @param ttlMs how long an upload is kept after its last change.
 */
export async function correctAges(db: Database, nowMs: number, ttlMs: number): Promise<void> {
  await transact(db, async (tx) => {
    await tx
      .updateTable('uploads')
      .set({ updated_at: nowMs, expires_at: earlier('expires_at', nowMs + ttlMs) })
      .where('updated_at', '>', nowMs)
      .execute();
    await tx.updateTable('events').set({ time: nowMs }).where('time', '>', nowMs).execute();
  });
}

/** The earlier of a time in the row and another one. */
function earlier(column: string, timeMs: number) {
  return sql<number>`case when ${sql.ref(column)} < ${timeMs} then ${sql.ref(column)} else ${timeMs} end`;
}
