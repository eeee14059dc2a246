/** Times that were stored while the clock was ahead. After a correction they would delay work by the same time. */
import { sql } from 'kysely';
import { type Database, transact } from './database.ts';

/**
 * Makes jobs and deliveries due whose times were stored in the future by a clock that was ahead.
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
 * Sets the last change of uploads and events that lies in the future to now.
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
