/** Pending deliveries to the webhook: rows are created from the outbox, and deleted when they are accepted. */
import { type RawBuilder, sql } from 'kysely';
import { type Database, transact } from './database.ts';
import { dialectOf } from './dialect.ts';
import { findNewestSeq, listAllEvents } from './events.ts';
import { readFact, writeFact } from './server-state.ts';
import type { DeliveryRow, EventRow } from './tables.ts';

/** The number of the last event that has become a delivery. */
const CURSOR = 'webhook_seq';

/** A new webhook starts with events from now on. */
export async function beginDeliveries(db: Database): Promise<void> {
  await transact(db, async (tx) => {
    await dialectOf(tx).lock(tx, 'deliveries');
    if ((await readFact(tx, CURSOR)) === undefined) await writeFact(tx, CURSOR, String(await findNewestSeq(tx)));
  });
}

/**
 * Turns the next events of the outbox into deliveries, and moves the cursor behind them, in one transaction. The
 * transaction also deletes old dead deliveries, because the table grows here.
 *
 * @param deadBeforeMs dead deliveries from before this time are deleted.
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
    await dialectOf(tx).lock(tx, 'deliveries');
    const after = Number(await readFact(tx, CURSOR));
    const events = await listAllEvents(tx, after, limit);
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
        due_at: null,
        created_at: nowMs,
        trouble: null,
      };
    });
    await tx.insertInto('deliveries').values(rows).execute();
    await sql`
      update deliveries set due_at = next_at
      where seq > ${after} and not exists (
        select 1 from deliveries as older
        where older.upload_id = deliveries.upload_id and older.seq < deliveries.seq and older.status = 'waiting'
      )`.execute(tx);
    await writeFact(tx, CURSOR, String(last.seq));
    await tx.deleteFrom('deliveries').where('status', '=', 'dead').where('next_at', '<', deadBeforeMs).execute();
    return events.length;
  });
}

/**
 * The oldest one of each upload, if that is due; those of `busy` uploads are left out. Owners take turns in the order
 * of their names, so that one with many events does not hold up the others.
 *
 * @param after the owner of the previous delivery.
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
    const except = [...busy, ...taken.map((row) => row.upload_id)];
    const turn = taken.at(-1)?.owner ?? after;
    const next =
      (await findDue(db, sql`owner > ${turn}`, nowMs, except)) ?? (await findDue(db, sql`true`, nowMs, except));
    if (!next) break;
    taken.push(next);
  }
  return taken;
}

/** The first due delivery of the first owner that has one. The cost is one index lookup per owner. */
async function findDue(
  db: Database,
  begin: RawBuilder<unknown>,
  nowMs: number,
  except: readonly string[],
): Promise<DeliveryRow | undefined> {
  const first = exceptOf(db, except)
    .select('seq')
    .where(sql<boolean>`owner = turns.owner`)
    .where('due_at', '<=', nowMs)
    .orderBy('due_at')
    .orderBy('seq')
    .limit(1);
  const { rows } = await sql<DeliveryRow>`
    select found.* from (
      with recursive turns (owner) as (
        select min(owner) from deliveries where due_at is not null and ${begin}
        union all
        select (select min(owner) from deliveries where due_at is not null and owner > turns.owner)
        from turns where owner is not null
      )
      select owner from turns
    ) as turns join deliveries as found on found.seq = (${first})
    limit 1`.execute(db);
  return rows[0];
}

/** Not every database takes a list of nothing. */
function exceptOf(db: Database, uploadIds: readonly string[]) {
  const select = db.selectFrom('deliveries');
  return uploadIds.length > 0 ? select.where('upload_id', 'not in', uploadIds) : select;
}

/** When the next one is due, ms since 1970; null when none waits. */
export async function findNextDelivery(db: Database, busy: readonly string[]): Promise<number | null> {
  const next = await exceptOf(db, busy)
    .select('due_at')
    .where('due_at', 'is not', null)
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst();
  return next?.due_at ?? null;
}

/**
 * Takes a delivery that is due, so that no other server sends it at the same time. A server that dies has it until the
 * lease ends.
 *
 * @returns the row with its lease in `due_at`; null when another server was first.
 */
export async function claimDelivery(
  db: Database,
  { seq, due_at }: DeliveryRow,
  leasedUntilMs: number,
): Promise<DeliveryRow | null> {
  const claimed = await db
    .updateTable('deliveries')
    .set({ due_at: leasedUntilMs })
    .where('seq', '=', seq)
    .where('due_at', '=', due_at)
    .returningAll()
    .executeTakeFirst();
  return claimed ?? null;
}

/** What was claimed was not sent: it is due at once. */
export async function releaseDelivery(db: Database, { seq, due_at, next_at }: DeliveryRow): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ due_at: next_at })
    .where('seq', '=', seq)
    .where('due_at', '=', due_at)
    .execute();
}

/** What a process had claimed which is known to be dead is due as before. */
export async function releaseDeliveries(db: Database): Promise<void> {
  await db
    .updateTable('deliveries')
    .set(({ ref }) => ({ due_at: ref('next_at') }))
    .where('due_at', 'is not', null)
    .execute();
}

/** It was accepted. */
export async function removeDelivery(db: Database, seq: number): Promise<void> {
  await transact(db, async (tx) => {
    await dialectOf(tx).lock(tx, 'deliveries');
    const removed = await tx.deleteFrom('deliveries').where('seq', '=', seq).returning('upload_id').executeTakeFirst();
    if (removed) await findNextOf(tx, removed.upload_id);
  });
}

/**
 * Records a failed attempt. `dead`: it was the last one.
 *
 * @param claimed as `claimDelivery` returned it; when its lease has ended and another server has it, nothing is
 * changed.
 */
export async function noteFailure(
  db: Database,
  { seq, attempts, due_at }: Pick<DeliveryRow, 'seq' | 'attempts' | 'due_at'>,
  failure: { status: DeliveryRow['status']; nextAtMs: number; trouble: string },
): Promise<void> {
  const { status, nextAtMs, trouble } = failure;
  await change(db, seq, { status, attempts: attempts + 1, next_at: nextAtMs, trouble }, due_at);
}

/** Makes it wait again, due at once and with the time of a new one. @returns undefined when it does not exist. */
export async function reviveDelivery(db: Database, seq: number, nowMs: number): Promise<DeliveryRow | undefined> {
  return await change(db, seq, { status: 'waiting', next_at: nowMs, created_at: nowMs });
}

/** @param dueAt only if it is still this; omitted: any. */
async function change(
  db: Database,
  seq: number,
  changes: Partial<DeliveryRow>,
  dueAt?: number | null,
): Promise<DeliveryRow | undefined> {
  return await transact(db, async (tx) => {
    await dialectOf(tx).lock(tx, 'deliveries');
    let update = tx.updateTable('deliveries').set(changes).where('seq', '=', seq);
    if (dueAt !== undefined) update = update.where('due_at', 'is not distinct from', dueAt);
    const changed = await update.returningAll().executeTakeFirst();
    if (changed) await findNextOf(tx, changed.upload_id);
    return changed;
  });
}

/** For use inside the transaction of a change: only the oldest waiting delivery of an upload can be due. */
async function findNextOf(tx: Database, uploadId: string): Promise<void> {
  const ofUpload = () => tx.updateTable('deliveries').where('upload_id', '=', uploadId);
  await ofUpload().set({ due_at: null }).where('due_at', 'is not', null).execute();
  await ofUpload()
    .set(({ ref }) => ({ due_at: ref('next_at') }))
    .where('seq', '=', ({ selectFrom, fn }) =>
      selectFrom('deliveries')
        .select(fn.min('seq').as('seq'))
        .where('upload_id', '=', uploadId)
        .where('status', '=', 'waiting'),
    )
    .execute();
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

/** The newest event at which an attempt has failed, of those that are not accepted. */
export async function findLastFailure(db: Database): Promise<DeliveryRow | undefined> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('trouble', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The numbers of waiting and dead deliveries. */
export async function countDeliveries(db: Database): Promise<Record<DeliveryRow['status'], number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  return { waiting: 0, dead: 0, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}
