/** Kysely over SQLite: reads run synchronously on this thread, all other statements on the writer thread. */
import { type Dialect, type Driver, type Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { CryoliftAdapter } from '../dialect.ts';
import { SqliteConnection } from './connection.ts';
import { SQLITE } from './dialect.ts';
import { explain } from './failure.ts';
import { ThreadedConnection } from './threaded-connection.ts';
import { Writer } from './writer.ts';

export class ThreadedSqlite implements Dialect {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  createDriver(): Driver {
    return new ThreadedDriver(this.#path);
  }

  createQueryCompiler() {
    return new SqliteQueryCompiler();
  }

  createAdapter() {
    return new ThreadedAdapter();
  }

  createIntrospector(db: Kysely<unknown>) {
    return new SqliteIntrospector(db);
  }
}

/** Reads do not wait for transactions; the writer keeps the order of writes. */
class ThreadedAdapter extends SqliteAdapter implements CryoliftAdapter {
  readonly dialect = SQLITE;

  override get supportsMultipleConnections(): boolean {
    return true;
  }

  /** All migrations are one transaction: after a crash between a change of a table and its record, none could start. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class ThreadedDriver implements Driver {
  readonly #path: string;
  #reader: SqliteConnection | null = null;
  #writer: Writer | null = null;
  #inUse = 0;
  #onIdle: () => void = () => {};

  constructor(path: string) {
    this.#path = path;
  }

  async init(): Promise<void> {
    // The reader is opened first: a file that cannot be opened is an error here, but ends the writer thread.
    this.#reader = openReader(this.#path);
    this.#writer = new Writer(this.#path);
  }

  async acquireConnection(): Promise<ThreadedConnection> {
    this.#inUse++;
    return new ThreadedConnection(this.#reader as SqliteConnection, this.#writer as Writer);
  }

  async beginTransaction(connection: ThreadedConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: ThreadedConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: ThreadedConnection): Promise<void> {
    await connection.rollBack();
  }

  async releaseConnection(connection: ThreadedConnection): Promise<void> {
    connection.release();
    if (--this.#inUse === 0) this.#onIdle();
  }

  /**
   * Resolves when all earlier statements are done. The writer closes last: its close empties the WAL, on its thread.
   */
  async destroy(): Promise<void> {
    if (this.#inUse > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#reader?.close();
    await this.#writer?.close();
  }
}

function openReader(path: string): SqliteConnection {
  try {
    const reader = new SqliteConnection(path);
    reader.execute('PRAGMA query_only=ON');
    return reader;
  } catch (error) {
    throw explain(error);
  }
}
