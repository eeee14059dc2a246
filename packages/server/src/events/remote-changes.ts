/**
 * What other servers on the same database have changed, given to the listeners of this one. The database notifies of events;
 * parts, and events of which a notification was lost (or kept back by a connection pooler), are found by polling.
 */
import type { Database } from '../db/database.ts';
import { findNewestSeq, listAllEvents } from '../db/events.ts';
import type { EventRow } from '../db/tables.ts';
import { listProgress } from '../db/uploads/uploads.ts';
import { Poller } from '../poller.ts';
import type { Bus } from './bus.ts';

const POLL_MS = 1_000;
const BATCH = 500;

interface RemoteContext {
  readonly db: Database;
  readonly bus: Bus;
  readonly log: Record<'warn', (fields: Record<string, unknown>, message: string) => void>;
}

export class RemoteChanges {
  readonly #context: RemoteContext;
  /** The last event of which the listeners were notified; null: from now on. */
  #seq: number | null = null;
  /** How many parts each watched upload had. */
  #received = new Map<string, number>();
  readonly #poller = new Poller({
    poll: async (signal) => {
      await this.#findEvents(signal);
      await this.#findParts();
    },
    nextMs: async () => POLL_MS,
    onError: (error) => this.#context.log.warn({ err: error }, 'changes by other servers could not be read'),
    shortestMs: POLL_MS,
    longestMs: POLL_MS,
  });

  constructor(context: RemoteContext) {
    this.#context = context;
  }

  /** To be called at the start, and when the database has notified of an event. */
  wake(): void {
    this.#poller.wake();
  }

  async stop(): Promise<void> {
    await this.#poller.stop();
  }

  async #findEvents(signal: AbortSignal): Promise<void> {
    const { db, bus } = this.#context;
    this.#seq ??= await findNewestSeq(db);
    for (let found = BATCH; found === BATCH && !signal.aborted; ) {
      const events = await listAllEvents(db, this.#seq, BATCH);
      found = events.length;
      for (const event of events) {
        this.#seq = event.seq;
        bus.notifyChange({ owner: event.owner, uploadId: uploadOf(event) });
      }
    }
  }

  /** Only of uploads that somebody watches. */
  async #findParts(): Promise<void> {
    const { db, bus } = this.#context;
    const { uploadIds, owners } = bus.watched();
    if (uploadIds.length + owners.length === 0) {
      this.#received.clear();
      return;
    }
    const received = new Map<string, number>();
    for (const { id, owner, received_parts } of await listProgress(db, uploadIds, owners)) {
      received.set(id, received_parts);
      if ((this.#received.get(id) ?? received_parts) !== received_parts) bus.noteParts({ id, owner });
    }
    this.#received = received;
  }
}

function uploadOf({ data }: EventRow): string | null {
  const { upload_id = null } = JSON.parse(data) as { upload_id?: string };
  return upload_id;
}
