/** The dialect of PostgreSQL, 14 or newer: many servers write at the same time. */
import { UploadError } from '@cryolift/protocol/errors';
import { type CompiledQuery, type Kysely, sql } from 'kysely';
import { transact } from '../database.ts';
import type { DatabaseDialect, GuardedResult, GuardedStep, Lock, Notice } from '../dialect.ts';
import { EVENT_TIMELINE } from '../server-state.ts';
import type { Tables } from '../tables.ts';
import { isConflict } from './failure.ts';
import { LIBRARY } from './library.ts';
import { MIGRATIONS } from './migrations.ts';

type Database = Kysely<Tables>;

/** Of notifications, by what they are about. */
export const CHANNELS: Readonly<Record<Notice, string>> = { events: 'cryolift_events', leases: 'cryolift_leases' };

/** Above the events that a replica can lack when it takes the place of its primary. */
const LOST_EVENTS = 1_000_000;
/**
 * A replica that takes the place of its primary may lack the last events, and would give their numbers to other ones. A
 * reader that has seen the old numbers would miss the new events. A new primary has a new timeline: its numbers begin far
 * behind those that were lost. Databases that do not give their timeline lose no commits when they fail over.
 */
const PASS_LOST_NUMBERS = sql`
  do $$
  declare
    current text;
    known text;
  begin
    current := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    select value into known from facts where name = ${sql.lit(EVENT_TIMELINE)};
    if known is distinct from current then
      if known is not null then
        perform setval('event_numbers', nextval('event_numbers') + ${sql.lit(LOST_EVENTS)});
      end if;
      insert into facts (name, value) values (${sql.lit(EVENT_TIMELINE)}, current)
        on conflict (name) do update set value = excluded.value;
    end if;
  exception when feature_not_supported or insufficient_privilege then null;
  end $$`;

/** Of the numbering of events, while the connection is lost each time. */
const MAX_ATTEMPTS = 3;

/** Thrown to undo a transaction whose step was refused. */
class Refused extends Error {
  readonly step: number;
  readonly otherwise: CompiledQuery;

  constructor(step: number, otherwise: CompiledQuery) {
    super(`step ${step} touched no row`);
    this.step = step;
    this.otherwise = otherwise;
  }
}

export const POSTGRES: DatabaseDialect = {
  isShared: true,
  columns: {
    text: sql`text collate "C"`,
    bytes: sql`bytea`,
    // Set by `numberEvents`.
    eventNumber: sql`bigint unique`,
    rowNumber: sql`bigint generated always as identity primary key`,
  },
  migrations: MIGRATIONS,
  isConflict,
  runGuarded,
  lock,

  async notify(tx, about) {
    await sql`select pg_notify(${CHANNELS[about]}, '')`.execute(tx);
  },

  async findLastNumber(db) {
    const { rows } = await sql<{ last: number }>`
      select case when is_called then last_value else 0 end as last from event_numbers`.execute(db);
    return rows[0]?.last ?? 0;
  },

  async continueNumbers(db, last) {
    await sql`select setval('event_numbers', ${Math.max(1, last)}, ${last > 0})`.execute(db);
  },

  /** Every connection says which program it is of. Through PgBouncer, those of its pool are seen. */
  async countOtherConnections(db) {
    const { rows } = await sql<{ connections: number }>`
      select count(*) as connections from pg_stat_activity
      where datname = current_database() and application_name like 'cryolift%'
        and application_name <> current_setting('application_name')`.execute(db);
    return rows[0]?.connections ?? 0;
  },

  nowMs: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,

  lockRows: (select) => select.forUpdate(),

  library: LIBRARY,

  skipLocked: (select) => select.forUpdate().skipLocked(),

  async checkWritable(db) {
    const { rows } = await sql<{ is_read_only: boolean }>`
      select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as is_read_only`.execute(db);
    if (rows[0]?.is_read_only) throw new UploadError('database_unavailable', 'The database takes no writes.');
  },

  /**
   * Numbers the events that were committed since, in the order of commits: a sequence counts in the order of inserts,
   * and a reader who has gone past a number would miss an event that is committed later with a lower one. Events of one
   * upload are inserted while its row is locked, so that `entry` is their order.
   */
  async numberEvents(db) {
    const { rows } = await sql`select 1 from events where seq is null limit 1`.execute(db);
    if (rows.length === 0) return;
    if (db.isTransaction) await number(db);
    else await numberAlone(db);
  },
};

async function lock(tx: Database, lock: Lock): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${nameOf(lock)}, 0))`.execute(tx);
}

async function number(tx: Database): Promise<void> {
  // The next statement sees what was committed by those who held the lock before.
  await lock(tx, 'events');
  await PASS_LOST_NUMBERS.execute(tx);
  await sql`
    with unnumbered as materialized (select entry from events where seq is null order by entry),
    numbered as materialized (select entry, nextval('event_numbers') as seq from unnumbered)
    update events set seq = numbered.seq from numbered where events.entry = numbered.entry`.execute(tx);
}

/** Numbering twice changes nothing, so that it is repeated also when it is not known whether it was committed. */
async function numberAlone(db: Database): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transact(db, number);
    } catch (error) {
      const isUnavailable = error instanceof UploadError && error.code === 'database_unavailable';
      if (attempt === MAX_ATTEMPTS || !isUnavailable) throw error;
    }
  }
}

async function runGuarded(db: Database, steps: readonly GuardedStep[]): Promise<GuardedResult> {
  try {
    const rows = await transact(db, async (tx) => {
      let rows: unknown[] = [];
      for (const [at, { write, otherwise }] of steps.entries()) {
        const result = await tx.executeQuery(write);
        rows = result.rows;
        if (otherwise && rows.length === 0 && !result.numAffectedRows) throw new Refused(at, otherwise);
      }
      return rows;
    });
    return { refusedAt: null, rows };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { rows } = await db.executeQuery(error.otherwise);
    return { refusedAt: error.step, rows };
  }
}

function nameOf(lock: Lock): string {
  return typeof lock === 'string' ? lock : `owner:${lock.owner}`;
}
