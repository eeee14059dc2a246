/** The outbox: events in the order of commits. A row is written in the transaction of the change that it reports. */
import type { Database } from './database.ts';
import { dialectOf } from './dialect.ts';
import type { EventRow, NewEvent } from './tables.ts';

/** Selects the events of one subject, or all of an owner. */
export type EventFilter = { subject: string } | { owner: string };

/** For use inside the transaction of the change. */
export async function insertEvent(tx: Database, event: NewEvent): Promise<void> {
  await eventInsert(tx, event).execute();
}

/** The insert of an event, for a unit that has the change. */
export function eventInsert(db: Database, event: NewEvent) {
  return db.insertInto('events').values(event);
}

/** Events after `afterSeq`, oldest first, at most `limit`. */
export async function listEvents(
  db: Database,
  filter: EventFilter,
  afterSeq: number,
  limit: number,
): Promise<EventRow[]> {
  await dialectOf(db).numberEvents(db);
  const after = db.selectFrom('events').selectAll().where('seq', '>', afterSeq);
  const select =
    'subject' in filter ? after.where('subject', '=', filter.subject) : after.where('owner', '=', filter.owner);
  return await select.orderBy('seq').limit(limit).execute();
}

/** Events of everybody after `afterSeq`, oldest first, at most `limit`. */
export async function listAllEvents(db: Database, afterSeq: number, limit: number): Promise<EventRow[]> {
  await dialectOf(db).numberEvents(db);
  return await db.selectFrom('events').selectAll().where('seq', '>', afterSeq).orderBy('seq').limit(limit).execute();
}

/** True when such an event is stored. */
export async function hasEvent(db: Database, subject: string, type: string): Promise<boolean> {
  const event = await db
    .selectFrom('events')
    .select('seq')
    .where('subject', '=', subject)
    .where('type', '=', type)
    .limit(1)
    .executeTakeFirst();
  return event !== undefined;
}

/** The number of the last stored event; 0 when there is none. */
export async function findNewestSeq(db: Database): Promise<number> {
  await dialectOf(db).numberEvents(db);
  const newest = await db
    .selectFrom('events')
    .select('seq')
    .where('seq', '>', 0)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.seq ?? 0;
}

/**
 * Deletes events from before `beforeMs`, oldest first, up to the first that is younger.
 *
 * @param limit the maximum number, so that transactions stay short. @returns the number of deleted rows.
 */
export async function forgetEvents(db: Database, beforeMs: number, limit: number): Promise<number> {
  await dialectOf(db).numberEvents(db);
  const oldest = await db
    .selectFrom('events')
    .select(['seq', 'time'])
    .where('seq', '>', 0)
    .orderBy('seq')
    .limit(limit)
    .execute();
  const young = oldest.findIndex(({ time }) => time >= beforeMs);
  const old = young < 0 ? oldest : oldest.slice(0, young);
  const last = old.at(-1);
  if (last) await db.deleteFrom('events').where('seq', '<=', last.seq).execute();
  return old.length;
}
