/**
 * Leases: what one server has for itself, until it gives it back or its time is over. Times are those of the database, because
 * the clocks of servers differ.
 *
 * `holder` names one taking of a lease and never comes again, so that a server which has lost its lease is recognised: it is
 * the fence of all guarded writes. On PostgreSQL the table is unlogged: a lease costs no flush, and all leases are gone after a
 * crash of the database; their holders find out at the next renewal.
 */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { dialectOf } from './dialect.ts';
import type { LeaseRow } from './tables.ts';

/** One taking of a lease. */
export interface HeldLease {
  readonly name: string;
  readonly holder: string;
}

/** Takes a lease that nobody has, or whose time is over. Safe to repeat. @returns false when another holder has it. */
export async function takeLease(db: Database, { name, holder }: HeldLease, ttlMs: number): Promise<boolean> {
  const { nowMs } = dialectOf(db);
  const lease = { holder, expires_at: sql<number>`${nowMs} + ${ttlMs}`, successor: null };
  const taken = await db
    .insertInto('leases')
    .values({ name, ...lease })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet(lease)
        .where((eb) => eb.or([eb('leases.expires_at', '<=', nowMs), eb('leases.holder', '=', holder)])),
    )
    .executeTakeFirst();
  return (taken.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Extends leases. @returns those that are still held; the others have been lost. */
export async function renewLeases(db: Database, leases: readonly HeldLease[], ttlMs: number): Promise<LeaseRow[]> {
  if (leases.length === 0) return [];
  return await db
    .updateTable('leases')
    .set({ expires_at: sql<number>`${dialectOf(db).nowMs} + ${ttlMs}` })
    .where('name', 'in', namesOf(leases))
    .where('holder', 'in', holdersOf(leases))
    .returningAll()
    .execute();
}

/** The leases among these that are still held, without extending them. */
export async function findLeases(db: Database, leases: readonly HeldLease[]): Promise<LeaseRow[]> {
  if (leases.length === 0) return [];
  return await db
    .selectFrom('leases')
    .selectAll()
    .where('name', 'in', namesOf(leases))
    .where('holder', 'in', holdersOf(leases))
    .execute();
}

/** The lease of this name whose time is not over. */
export async function findLease(db: Database, name: string): Promise<LeaseRow | undefined> {
  return (await findLeasesNamed(db, [name]))[0];
}

/** The leases of these names whose time is not over. */
export async function findLeasesNamed(db: Database, names: readonly string[]): Promise<LeaseRow[]> {
  if (names.length === 0) return [];
  return await db
    .selectFrom('leases')
    .selectAll()
    .where('name', 'in', names)
    .where('expires_at', '>', dialectOf(db).nowMs)
    .execute();
}

/** Gives it back. A lease that another holder has is not changed. */
export async function releaseLease(db: Database, lease: HeldLease): Promise<void> {
  await deleteLease(db, lease).execute();
}

/** As `releaseLease`, for a transaction that counts only while the lease is held: it touches no row otherwise. */
export function deleteLease(db: Database, { name, holder }: HeldLease) {
  return db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder);
}

/**
 * Keeps the lease as it is until the end of the transaction: nobody takes it over before. @returns false when it is lost.
 */
export async function lockLease(tx: Database, { name, holder }: HeldLease): Promise<boolean> {
  const held = await tx
    .updateTable('leases')
    .set({ holder })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .executeTakeFirst();
  return held.numUpdatedRows > 0n;
}

/**
 * Asks the holder of a lease to give it up for `successor`, which takes the place of another one that has asked.
 *
 * @returns the holder; undefined when nobody has the lease.
 */
export async function askForLease(db: Database, name: string, successor: string): Promise<string | undefined> {
  const asked = await db
    .updateTable('leases')
    .set({ successor })
    .where('name', '=', name)
    .returning('holder')
    .executeTakeFirst();
  if (asked) await dialectOf(db).notify(db, 'leases');
  return asked?.holder;
}

/** Asks the holders of all leases whose names begin with `prefix`. @param prefix ends with `/`. @returns their number. */
export async function askForLeases(db: Database, prefix: string, successor: string): Promise<number> {
  const asked = await db
    .updateTable('leases')
    .set({ successor })
    .where('name', '>=', prefix)
    // The character after the slash.
    .where('name', '<', `${prefix.slice(0, -1)}0`)
    .where('expires_at', '>', dialectOf(db).nowMs)
    .executeTakeFirst();
  const count = Number(asked.numUpdatedRows);
  if (count > 0) await dialectOf(db).notify(db, 'leases');
  return count;
}

/** Deletes leases that ended more than `ageMs` ago: nobody wants what their holders had. */
export async function forgetLeases(db: Database, ageMs: number): Promise<void> {
  await db
    .deleteFrom('leases')
    .where('expires_at', '<', sql<number>`${dialectOf(db).nowMs} - ${ageMs}`)
    .execute();
}

function namesOf(leases: readonly HeldLease[]): string[] {
  return leases.map(({ name }) => name);
}

function holdersOf(leases: readonly HeldLease[]): string[] {
  return leases.map(({ holder }) => holder);
}
