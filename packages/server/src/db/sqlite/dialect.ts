/**
 * The dialect of SQLite. One connection writes, so that nothing is written between a read and a write of a transaction.
 */
import { sql } from 'kysely';
import type { DatabaseDialect } from '../dialect.ts';
import { LIBRARY } from './library.ts';
import { MIGRATIONS } from './migrations.ts';
import { type ThreadedConnection, toStatement } from './threaded-connection.ts';

export const SQLITE: DatabaseDialect = {
  isShared: false,
  columns: {
    text: sql`text`,
    bytes: sql`blob`,
    eventNumber: sql`integer primary key autoincrement`,
    rowNumber: sql`integer primary key autoincrement`,
  },

  /** Handed over to the writer's thread whole; it waits for the disk together with others. */
  async runGuarded(db, steps) {
    const unit = steps.map(({ write, otherwise }) => ({
      ...toStatement(write),
      ...(otherwise ? { otherwise: toStatement(otherwise) } : {}),
    }));
    return await db.getExecutor().provideConnection((connection) => (connection as ThreadedConnection).runUnit(unit));
  },

  async lock() {},

  /** They have them: the order of inserts is that of commits. */
  async numberEvents() {},

  async findLastNumber(db) {
    const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = 'events'`.execute(db);
    return rows[0]?.seq ?? 0;
  },

  async continueNumbers(db, last) {
    await sql`delete from sqlite_sequence where name = 'events'`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values ('events', ${last})`.execute(db);
  },

  /** Its folder is locked. */
  countOtherConnections: async () => 0,

  async notify() {},

  nowMs: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,

  async checkWritable(db) {
    await sql`select 1`.execute(db);
  },

  migrations: MIGRATIONS,

  skipLocked: (select) => select,

  lockRows: (select) => select,

  library: LIBRARY,

  isConflict: () => false,
};
