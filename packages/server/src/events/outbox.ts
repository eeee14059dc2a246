/**
 * The only way to emit an event: it is written in the transaction of the change that it reports, and the listeners of
 * this process and the other servers are notified after the commit.
 */
import { type Database, transact } from '../db/database.ts';
import { dialectOf, type GuardedStep } from '../db/dialect.ts';
import { eventInsert, insertEvent } from '../db/events.ts';
import { runGuarded } from '../db/guarded.ts';
import type { NewEvent } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import type { Bus } from './bus.ts';

export interface OutboxEvent {
  /** Type of the CloudEvent: `cryolift.file.deleted`. */
  readonly type: string;
  /** `uploads/ID`, `files/ID` or `datasets/ID`. */
  readonly subject: string;
  readonly owner: string;
  /** The upload whose stream has it; for a file, the upload that it came from. Null: no upload. */
  readonly uploadId: string | null;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The record of the upload or file after the change. */
  readonly data: object;
}

/** Writes an event in a transaction. */
export type Emit = (event: OutboxEvent) => Promise<void>;

export class Outbox {
  readonly #db: Database;
  readonly #bus: Bus;
  readonly #newId: () => string;

  /** @param newId makes the ids of events. */
  constructor(db: Database, bus: Bus, newId: () => string) {
    this.#db = db;
    this.#bus = bus;
    this.#newId = newId;
  }

  /**
   * Runs `work` in one transaction: all that it writes and emits is committed, or nothing is. @throws what `work`
   * throws.
   */
  async transact<T>(work: (tx: Database, emit: Emit) => Promise<T>): Promise<T> {
    let emitted: OutboxEvent[] = [];
    const result = await transact(this.#db, async (tx) => {
      emitted = [];
      const done = await work(tx, async (event) => {
        await insertEvent(tx, this.#toRow(event));
        emitted.push(event);
      });
      if (emitted.length > 0) await dialectOf(tx).notify(tx, 'events');
      return done;
    });
    this.#announce(emitted);
    return result;
  }

  /**
   * Commits steps together with the events of what they change, as one unit: it waits for the disk together with those
   * of others. Where servers share the database nothing is done, because such steps have to wait for each other.
   *
   * @param describe makes the events; called only when the steps are tried.
   * @returns false when nothing was written: the caller does the same by `transact`.
   */
  async commit(steps: readonly GuardedStep[], describe: () => Promise<readonly OutboxEvent[]>): Promise<boolean> {
    const db = this.#db;
    if (dialectOf(db).isShared) return false;
    const events = await describe();
    const inserts = events.map((event) => ({ write: eventInsert(db, this.#toRow(event)).compile() }));
    const { refusedAt } = await runGuarded(db, [...steps, ...inserts]);
    if (refusedAt !== null) return false;
    this.#announce(events);
    return true;
  }

  #toRow({ type, subject, owner, time, data }: OutboxEvent): NewEvent {
    return { id: this.#newId(), type, subject, owner, time, data: JSON.stringify(data) };
  }

  #announce(events: readonly OutboxEvent[]): void {
    if (events.length > 0) betweenSteps('event.committed');
    for (const { owner, uploadId } of events) this.#bus.notifyChange({ owner, uploadId });
  }
}
