/** One connection to the database file, by `node:sqlite`. Both threads have one. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';

/** Searches have thousands of forms; all other statements together have some hundred. */
const MAX_PREPARED = 1_000;

export interface Statement {
  sql: string;
  parameters: readonly unknown[];
}

export interface StatementResult {
  rows: unknown[];
  /** Number of written rows; 0 for a statement that returns rows. */
  changes: number;
}

export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new LRUCache<string, { statement: StatementSync; returnsRows: boolean }>({ max: MAX_PREPARED });

  /** WAL with synchronous=FULL: a commit that was answered survives power loss. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      'PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON',
    );
  }

  /** False too when SQLite has rolled back by itself, as it may when the disk is full. */
  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  execute(sql: string, parameters: readonly unknown[] = []): StatementResult {
    const { statement, returnsRows } = this.#prepare(sql);
    const values = parameters as SQLInputValue[];
    if (returnsRows) return { rows: statement.all(...values), changes: 0 };
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string) {
    let prepared = this.#prepared.get(sql);
    if (!prepared) {
      const statement = this.#database.prepare(sql);
      prepared = { statement, returnsRows: statement.columns().length > 0 };
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }
}
