/** Kysely over SQLite: reads here and now, everything else by the writer's thread. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { SqliteConnection, type Statement, type StatementResult } from './connection.ts';
import { explain } from './failure.ts';
import { Writer } from './writer.ts';
import type { Unit, UnitResult } from './writer-worker.ts';

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

/** Reads do not queue behind a transaction; the writer keeps the order of those who write. */
class ThreadedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
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
    // The reader first: a file that cannot be opened is an error here, and the death of the thread there.
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

  /** Resolves when what was asked for before is done. The writer closes last: its close empties the WAL, in its thread. */
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

export class ThreadedConnection implements DatabaseConnection {
  readonly #reader: SqliteConnection;
  readonly #writer: Writer;
  /** Set while a transaction has the writer for itself. */
  #endTurn: (() => void) | null = null;

  constructor(reader: SqliteConnection, writer: Writer) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.#execute(query);
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
  }

  async #execute(query: CompiledQuery): Promise<StatementResult> {
    if (this.#endTurn) return await this.#writer.execute(toStatement(query));
    if (!/^\s*select\b/i.test(query.sql)) return await this.#writer.run([toStatement(query)]);
    try {
      return this.#reader.execute(query.sql, query.parameters);
    } catch (error) {
      throw explain(error);
    }
  }

  async runUnit(unit: Unit): Promise<UnitResult> {
    if (this.#endTurn) throw new Error('a unit is a transaction by itself: it would wait for the one around it');
    return await this.#writer.run(unit);
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('rows are not streamed: a read that stays open would keep the WAL from being emptied');
  }

  async begin(): Promise<void> {
    this.#endTurn = await this.#writer.takeTurn();
    await this.#writer.execute({ sql: 'begin immediate', parameters: [] });
  }

  async commit(): Promise<void> {
    await this.#writer.execute({ sql: 'commit', parameters: [] });
  }

  async rollBack(): Promise<void> {
    await this.#writer.rollBack();
  }

  release(): void {
    this.#endTurn?.();
    this.#endTurn = null;
  }
}

/** What can go to another thread. A view of a larger buffer would take all of that along. */
export function toStatement({ sql, parameters }: CompiledQuery): Statement {
  return {
    sql,
    parameters: parameters.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value)),
  };
}
