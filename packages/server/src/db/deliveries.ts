/** What the webhook has still to be told: rows that are made out of the outbox, and deleted when they are accepted. */
import { type Database, transact } from './database.ts';
import { findNewestSeq } from './events.ts';
import { readFact, writeFact } from './server-state.ts';
import type { DeliveryRow, EventRow } from './tables.ts';

/** The number of the last event that has become a delivery. */
const CURSOR = 'webhook_seq';

/** The first time, the webhook begins with what happens from now on. */
export async function beginDeliveries(db: Database): Promise<void> {
  await transact(db, async (tx) => {
    if ((await readFact(tx, CURSOR)) === undefined) await writeFact(tx, CURSOR, String(await findNewestSeq(tx)));
  });
}

/**
 * Turns the next events of the outbox into deliveries, and moves the cursor behind them, in one transaction. Forgets in it
 * what was given up long ago: this is where the table grows.
 *
 * @param deadBeforeMs what was given up before this time is forgotten.
 * @returns how many events.
 */
export async function addDeliveries(
  db: Database,
  limit: number,
  nowMs: number,
  deadBeforeMs: number,
  prepare: (event: EventRow) => { uploadId: string; event: string },
): Promise<number> {
  return await transact(db, async (tx) => {
    const after = Number(await readFact(tx, CURSOR));
    const events = await tx
      .selectFrom('events')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(limit)
      .execute();
    const last = events.at(-1);
    if (!last) return 0;
    const rows: DeliveryRow[] = events.map((row) => {
      const { uploadId, event } = prepare(row);
      const { seq, owner } = row;
      const status = 'waiting' as const;
      return {
        seq,
        upload_id: uploadId,
        owner,
        event,
        status,
        attempts: 0,
        next_at: nowMs,
        created_at: nowMs,
        trouble: null,
      };
    });
    await tx.insertInto('deliveries').values(rows).execute();
    await writeFact(tx, CURSOR, String(last.seq));
    await tx.deleteFrom('deliveries').where('status', '=', 'dead').where('next_at', '<', deadBeforeMs).execute();
    return events.length;
  });
}

/**
 * The oldest one of each upload, if that is due; those of `busy` uploads are left out. Owners take turns in the order of
 * their names, so that one with many events does not hold up the others.
 *
 * @param after the owner of the last one that was taken before.
 */
export async function listDue(
  db: Database,
  nowMs: number,
  busy: readonly string[],
  limit: number,
  after = '',
): Promise<DeliveryRow[]> {
  const taken: DeliveryRow[] = [];
  while (taken.length < limit) {
    const due = heads(db)
      .selectAll()
      .where('next_at', '<=', nowMs)
      .where('upload_id', 'not in', [...busy, ...taken.map((row) => row.upload_id)])
      .orderBy('owner')
      .orderBy('seq')
      .limit(1);
    const turn = taken.at(-1)?.owner ?? after;
    const next = (await due.where('owner', '>', turn).executeTakeFirst()) ?? (await due.executeTakeFirst());
    if (!next) break;
    taken.push(next);
  }
  return taken;
}

/** When the next one is due, ms since 1970; null when none waits. */
export async function findNextDelivery(db: Database, busy: readonly string[]): Promise<number | null> {
  let next = heads(db).select(({ fn }) => fn.min('next_at').as('next'));
  if (busy.length > 0) next = next.where('upload_id', 'not in', busy);
  return (await next.executeTakeFirstOrThrow()).next;
}

/** It was accepted. */
export async function removeDelivery(db: Database, seq: number): Promise<void> {
  await db.deleteFrom('deliveries').where('seq', '=', seq).execute();
}

/** An attempt has failed. `dead`: the last one. */
export async function noteFailure(
  db: Database,
  { seq, attempts }: Pick<DeliveryRow, 'seq' | 'attempts'>,
  failure: { status: DeliveryRow['status']; nextAtMs: number; trouble: string },
): Promise<void> {
  const { status, nextAtMs, trouble } = failure;
  await db
    .updateTable('deliveries')
    .set({ status, attempts: attempts + 1, next_at: nextAtMs, trouble })
    .where('seq', '=', seq)
    .execute();
}

/** Back to those that wait, at once and with as much time as a new one. @returns undefined when it is not there. */
export async function reviveDelivery(db: Database, seq: number, nowMs: number): Promise<DeliveryRow | undefined> {
  return await db
    .updateTable('deliveries')
    .set({ status: 'waiting', next_at: nowMs, created_at: nowMs })
    .where('seq', '=', seq)
    .returningAll()
    .executeTakeFirst();
}

/** Oldest first, after the one with number `after`. */
export async function listDeliveries(
  db: Database,
  query: { status?: DeliveryRow['status'] | undefined; after: number; limit: number },
): Promise<DeliveryRow[]> {
  let select = db.selectFrom('deliveries').selectAll().where('seq', '>', query.after);
  if (query.status) select = select.where('status', '=', query.status);
  return await select.orderBy('seq').limit(query.limit).execute();
}

/** Those that are still to be accepted, and those given up. */
export async function countDeliveries(db: Database): Promise<Record<DeliveryRow['status'], number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  return { waiting: 0, dead: 0, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}

/** Those that wait and have no older one of their upload before them. */
function heads(db: Database) {
  return db
    .selectFrom('deliveries as head')
    .where('status', '=', 'waiting')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deliveries as older')
            .select('older.seq')
            .whereRef('older.upload_id', '=', 'head.upload_id')
            .whereRef('older.seq', '<', 'head.seq')
            .where('older.status', '=', 'waiting'),
        ),
      ),
    );
}
