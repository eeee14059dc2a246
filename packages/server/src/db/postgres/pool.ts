/**
 * Connections to PostgreSQL. They keep no state between two uses (no prepared statements, no settings), so that they
 * work through PgBouncer in transaction mode.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { durableStep } from '../../durable-step.ts';
import { explain, isLost } from './failure.ts';

/** Of one server. */
const MAX_CONNECTIONS = 10;
const CONNECT_MS = 5_000;
const IDLE_MS = 30_000;
/** Of one statement. None of ours takes as long, but the migrations. */
const STATEMENT_MS = 60_000;
/**
 * So long a server that does not go on keeps the locks of its transaction, for which others wait: less than its leases
 * (20 s). No transaction of ours waits for anything but the database.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;
/** Settings end with the transaction. */
const BEGIN = `begin; set local statement_timeout = ${STATEMENT_MS}; set local idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;
/** How often a query that has changed nothing is tried on a new connection. */
const MAX_ATTEMPTS = 3;
const READING = /^\s*(?:begin|select)\b/i;

/** Types of PostgreSQL by their number: bigint, numeric, bytea. */
const INT8 = 20;
const NUMERIC = 1700;
const BYTEA = 17;

/** Sums and sizes are numbers: none is over 2^53 - 1. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser(id, format) {
    if (id === INT8 || id === NUMERIC) return Number as never;
    if (id === BYTEA) return ((text: string) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))) as never;
    return pg.types.getTypeParser(id as number, format as 'text') as never;
  },
};

/**
 * A connection whose failures are UploadErrors, and which is replaced when it was lost before it has changed anything.
 */
class ReplacedClient {
  readonly #pool: pg.Pool;
  /** Null: it was lost, and there is no other. */
  #client: pg.PoolClient | null;
  #inTransaction = false;
  #isUnfit = false;

  constructor(pool: pg.Pool, client: pg.PoolClient) {
    this.#pool = pool;
    this.#client = client;
  }

  async query(sql: string, parameters: readonly unknown[] = []): Promise<unknown> {
    if (parameters.some(hasNul)) return refuseNul(sql);
    const changesNothing = !this.#inTransaction && READING.test(sql);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#send(sql, parameters);
      } catch (error) {
        if (!isLost(error)) throw explain(error);
        this.#isUnfit = true;
        if (!changesNothing || attempt === MAX_ATTEMPTS) throw explain(error);
        this.#client?.release(true);
        this.#client = null;
        this.#client = await connect(this.#pool);
        this.#isUnfit = false;
      }
    }
  }

  /** @param isUnfit for the next one. */
  release(isUnfit = false): void {
    this.#client?.release(isUnfit || this.#isUnfit || this.#inTransaction);
    this.#client = null;
  }

  async #send(sql: string, parameters: readonly unknown[]): Promise<unknown> {
    if (!this.#client) throw explain(new Error('the connection was lost'));
    if (sql === 'begin') {
      await this.#client.query(BEGIN);
      this.#inTransaction = true;
      return { command: 'BEGIN', rowCount: null, rows: [] };
    }
    const client = this.#client;
    const query = () => client.query(sql, parameters as unknown[]);
    const result = await this.#announce(sql, query);
    if (result.command === 'COMMIT' || result.command === 'ROLLBACK') this.#inTransaction = false;
    return result;
  }

  /** A statement outside of a transaction is committed by itself. */
  #announce<T>(sql: string, query: () => Promise<T>): Promise<T> {
    if (sql === 'commit') return durableStep('postgres.commit', query);
    if (this.#inTransaction || READING.test(sql)) return query();
    return durableStep('postgres.statement', query);
  }
}

export class Pool implements PostgresPool {
  readonly options = {};
  readonly #pool: pg.Pool;

  /**
   * @param onLost is called when a connection that nobody uses is lost. @param program shown in `pg_stat_activity`;
   * begins with `cryolift`.
   */
  constructor(url: string, onLost: (error: Error) => void, program = 'cryolift') {
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: program,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      idleTimeoutMillis: IDLE_MS,
      query_timeout: STATEMENT_MS,
      keepAlive: true,
      types: TYPES,
    });
    this.#pool.on('error', onLost);
    // One that is in use: its next query fails with the reason.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  async connect(): Promise<PostgresPoolClient> {
    return new ReplacedClient(this.#pool, await connect(this.#pool)) as unknown as PostgresPoolClient;
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

/** PostgreSQL has no text with U+0000. */
function hasNul(parameter: unknown): boolean {
  return typeof parameter === 'string' && parameter.includes('\0');
}

/** Nothing that is stored equals such a text. @throws UploadError `invalid_request` when it is to be stored. */
function refuseNul(sql: string): unknown {
  if (/^\s*select\b/i.test(sql)) return { command: 'SELECT', rowCount: 0, rows: [] };
  throw new UploadError('invalid_request', 'A text has the character U+0000, which cannot be stored.');
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw explain(error);
  }
}
