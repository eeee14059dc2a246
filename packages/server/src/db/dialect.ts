/**
 * What databases do differently. Kysely writes the SQL of both; what it cannot express is an ability of the dialect,
 * which a query asks for with `dialectOf(db)`.
 */
import type { CompiledQuery, DialectAdapter, Kysely, RawBuilder, SelectQueryBuilder } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Tables } from './tables.ts';

type Database = Kysely<Tables>;

export interface DatabaseDialect {
  /** Other servers may use the database at the same time: what one of them left behind is known by its leases alone. */
  readonly isShared: boolean;
  readonly columns: ColumnTypes;
  /** See `runGuarded`. */
  runGuarded(db: Database, steps: readonly GuardedStep[]): Promise<GuardedResult>;
  /**
   * Waits until no other transaction holds this lock, and holds it until `tx` ends. For transactions that read rows of
   * which they cannot lock each, and then insert.
   */
  lock(tx: Database, lock: Lock): Promise<void>;
  /** Locks what is selected, and passes over rows that another transaction has locked. */
  skipLocked<DB, TB extends keyof DB, O>(select: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>;
  /** Locks what is selected until the transaction ends. */
  lockRows<DB, TB extends keyof DB, O>(select: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>;
  /** What searches of the library need. */
  readonly library: LibraryDialect;
  /**
   * Gives numbers to events that were committed without one, in the order of their commits. To be called before events
   * are read by number.
   */
  numberEvents(db: Database): Promise<void>;
  /** The greatest number that an event was ever given, also one that was deleted since; 0: none. */
  findLastNumber(db: Database): Promise<number>;
  /** Gives events greater numbers than `last` from now on. */
  continueNumbers(db: Database, last: number): Promise<void>;
  /** How many connections other processes of Cryolift have to the database; 0 where only one process can have any. */
  countOtherConnections(db: Database): Promise<number>;
  /** Wakes the other servers, once the transaction is committed: there are new events, or leases that are asked for. */
  notify(tx: Database, about: Notice): Promise<void>;
  /** Milliseconds since 1970, by the clock of the database. */
  readonly nowMs: RawBuilder<number>;
  /** Migrations of this database alone; their names fit between those of all. */
  readonly migrations: Record<string, Migration>;
  /** @throws UploadError `database_unavailable` when it does not answer, or takes no writes. */
  checkWritable(db: Database): Promise<void>;
  /** Whether a transaction failed because of another one, so that the same work may succeed if it is done again. */
  isConflict(error: unknown): boolean;
}

export interface LibraryDialect {
  /**
   * The `id` of up to `limit` rows that may have all these words in their `text`, by an index of the text. When there are
   * fewer, all that have the words are among them; and rows of other owners may be. Null: no index finds them in a short
   * time.
   */
  findCandidates(db: Database, owner: string, words: readonly string[], limit: number): Promise<number[] | null>;
  /** Whether there is an index of the text. Without one, searches are right, and slow. */
  isIndexed(db: Database): Promise<boolean>;
  /** Whether a text has this word. */
  contains(column: RawBuilder<unknown>, word: string): RawBuilder<boolean>;
  /**
   * Adds up to `limit` new rows to the index of the text, where that is not done when they are inserted.
   *
   * @returns how many there were.
   */
  indexNew(db: Database, limit: number): Promise<number>;
}

/** Column types that differ. Times and sizes are `bigint`, numbers in JavaScript: none is over 2^53 - 1. */
interface ColumnTypes {
  /** Compared and sorted by bytes. */
  readonly text: RawBuilder<unknown>;
  readonly bytes: RawBuilder<unknown>;
  /** Unique; ascends in the order of commits. A number that was used does not come again. */
  readonly eventNumber: RawBuilder<unknown>;
  /** The key of a table whose rows are numbered in the order of their inserts. */
  readonly rowNumber: RawBuilder<unknown>;
}

export type Notice = 'events' | 'leases';

/** Where another server could write between a read and an insert that relies on it. */
export type Lock =
  /** What an owner has: quota, open uploads, links. */
  | { readonly owner: string }
  /** The free space that is promised to open uploads of all owners. */
  | 'space'
  /** The cursor of the webhook behind the outbox. */
  | 'deliveries'
  /** The numbers of events. */
  | 'events'
  | 'migrations';

export interface GuardedStep {
  readonly write: CompiledQuery;
  /** The write must touch a row, and this is the query to run after the rollback when it does not; absent: it need not. */
  readonly otherwise?: CompiledQuery;
}

export interface GuardedResult {
  /** Which step touched no row, counted from 0; null: all is committed. */
  readonly refusedAt: number | null;
  /** Of the last step, or of the `otherwise` of the one that was refused. */
  readonly rows: unknown[];
}

/** The adapter of a Kysely dialect of ours. */
export interface CryoliftAdapter extends DialectAdapter {
  readonly dialect: DatabaseDialect;
}

export function dialectOf(db: Database): DatabaseDialect {
  return (db.getExecutor().adapter as CryoliftAdapter).dialect;
}
