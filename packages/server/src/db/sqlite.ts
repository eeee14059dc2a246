/** `node:sqlite` in the shape that Kysely's SQLite dialect asks for. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { UploadError } from '@cryolift/protocol/errors';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** SQLITE_BUSY, LOCKED, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL: the database cannot answer now; not a bug of ours. */
const UNAVAILABLE = new Set([5, 6, 10, 11, 13, 14, 15]);

/**
 * Opens the database. WAL with synchronous=FULL: a commit that was answered survives power loss.
 *
 * @throws UploadError `database_unavailable` from any call when SQLite cannot read or write.
 */
export function openSqlite(path: string): SqliteDatabase {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON');
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        statement = adapt(guard(() => database.prepare(sql)));
        statements.set(sql, statement);
      }
      return statement;
    },
  };
}

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guard(() => statement.all(...(parameters as SQLInputValue[]))),
    run: (parameters) => guard(() => statement.run(...(parameters as SQLInputValue[]))),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}

function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    if (code !== undefined && UNAVAILABLE.has(code & 0xff)) {
      throw new UploadError('database_unavailable', 'The database cannot be read or written at the moment.', {
        cause: error,
      });
    }
    throw error;
  }
}
