/** What a query or a transaction has of the database: reads here and now, everything else by the writer's thread. */
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { durableStep } from '../../durable-step.ts';
import type { SqliteConnection, Statement, StatementResult } from './connection.ts';
import { explain } from './failure.ts';
import type { Writer } from './writer.ts';
import type { Unit, UnitResult } from './writer-worker.ts';

export class ThreadedConnection implements DatabaseConnection {
  readonly #reader: SqliteConnection;
  readonly #writer: Writer;
  /** Set while a transaction holds the writer. */
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
    await durableStep('sqlite.commit', () => this.#writer.execute({ sql: 'commit', parameters: [] }));
  }

  async rollBack(): Promise<void> {
    await this.#writer.rollBack();
  }

  release(): void {
    this.#endTurn?.();
    this.#endTurn = null;
  }
}

/** A value that can be sent to another thread. A view of a larger buffer would copy the whole buffer. */
export function toStatement({ sql, parameters }: CompiledQuery): Statement {
  return {
    sql,
    parameters: parameters.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value)),
  };
}
