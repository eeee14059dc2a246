/**
 * The only way to emit an event: it is written in the transaction of the change that it reports, and the listeners of
 * this process and the other servers are notified after the commit.
 */
import { type Database, transact } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { insertEvent } from '../db/events.ts';
import type { Bus } from './bus.ts';

interface OutboxEvent {
  /** Type of the CloudEvent: `cryolift.file.deleted`. */
  readonly type: string;
  /** `uploads/ID` or `files/ID`. */
  readonly subject: string;
  readonly owner: string;
  /** The upload whose stream has it; for a file, the upload that it came from. */
  readonly uploadId: string;
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
        const { type, subject, owner, time, data } = event;
        await insertEvent(tx, { id: this.#newId(), type, subject, owner, time, data: JSON.stringify(data) });
        emitted.push(event);
      });
      if (emitted.length > 0) await dialectOf(tx).notify(tx, 'events');
      return done;
    });
    for (const { owner, uploadId } of emitted) this.#bus.notifyChange({ owner, uploadId });
    return result;
  }
}
