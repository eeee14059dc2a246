/** Sends every event to one receiver: at least once, and in order for each upload. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../db/database.ts';
import {
  addDeliveries,
  beginDeliveries,
  claimDelivery,
  findNextDelivery,
  listDue,
  noteFailure,
  releaseDelivery,
  removeDelivery,
} from '../../db/deliveries.ts';
import type { DeliveryRow, EventRow } from '../../db/tables.ts';
import { betweenSteps } from '../../durable-step.ts';
import { Poller } from '../../poller.ts';
import type { Bus } from '../bus.ts';
import { toCloudEvent } from '../event.ts';
import { sendEvent } from './send.ts';

const PARALLEL = 4;
const BATCH = 200;
/** Delays after the first failures; the last one applies to all later ones. */
const WAITS_MS = [500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000];
const MAX_WAIT_MS = 3_600_000;
/** Jitter of the delays, up and down. */
const VARIANCE = 0.2;
export const LONGEST_WAIT_MS = MAX_WAIT_MS * (1 + VARIANCE);
/** An event that was not accepted for this time becomes `dead`, until an administrator sends it again. */
const GIVE_UP_MS = 3 * 86_400_000;
/** How long a dead event is kept for an administrator. */
const DEAD_MS = 30 * 86_400_000;
/** What one server sends, no other does for so long. Longer than any attempt. */
const LEASE_MS = 60_000;
/** The longest interval between two polls for due deliveries. */
const POLL_MS = 30_000;
/** Delay when the database cannot record an accepted event (full disk), which would be sent again immediately. */
const UNRECORDED_MS = 10_000;

interface WebhookContext {
  readonly db: Database;
  readonly bus: Bus;
  readonly log: Record<'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>;
  now(): number;
  /** False while no event may become dead by its age. */
  isClockSettled(): boolean;
}

export class Webhook {
  readonly #context: WebhookContext;
  readonly #url: string;
  readonly #key: Uint8Array;
  readonly #source: string;
  /** Uploads with an event in transit, and the attempt. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #poller = new Poller({
    poll: (signal) => this.#poll(signal),
    nextMs: () => this.#findNextMs(),
    onError: (error) => this.#context.log.error({ err: error }, 'events for the webhook could not be read'),
    shortestMs: 100,
    longestMs: POLL_MS,
  });
  /** Owners take turns. */
  #lastOwner = '';
  #unlisten = (): void => {};

  /** @param source of the CloudEvents. */
  constructor(context: WebhookContext, url: string, key: Uint8Array, source: string) {
    this.#context = context;
    this.#url = url;
    this.#key = key;
    this.#source = source;
  }

  async start(): Promise<void> {
    await beginDeliveries(this.#context.db);
    this.#unlisten = this.#context.bus.listenToAll(() => this.wake());
    this.wake();
  }

  /** Polls for due deliveries. */
  wake(): void {
    this.#poller.wake();
  }

  /** Aborts running attempts, which are repeated after the next start. */
  async stop(): Promise<void> {
    this.#unlisten();
    await this.#poller.stop();
    await Promise.all(this.#underWay.values());
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while ((await this.#add()) === BATCH && !signal.aborted);
    await this.#fill();
  }

  async #findNextMs(): Promise<number | null> {
    // When the limit is reached, the end of an attempt polls again.
    if (this.#underWay.size >= PARALLEL) return null;
    const next = await findNextDelivery(this.#context.db, [...this.#underWay.keys()]);
    return next === null ? null : next - this.#context.now();
  }

  async #add(): Promise<number> {
    const nowMs = this.#context.now();
    const deadBeforeMs = this.#context.isClockSettled() ? nowMs - DEAD_MS : 0;
    return await addDeliveries(this.#context.db, BATCH, nowMs, deadBeforeMs, (row) => this.#prepare(row));
  }

  #prepare(row: EventRow): { uploadId: string; event: string } {
    // Those of a dataset keep their order, too. Another event without an upload has none to keep.
    const { upload_id, dataset_id } = JSON.parse(row.data) as { upload_id?: string; dataset_id?: string };
    return { uploadId: upload_id ?? dataset_id ?? row.id, event: toCloudEvent(row, this.#source) };
  }

  async #fill(): Promise<void> {
    const { db, now } = this.#context;
    const free = PARALLEL - this.#underWay.size;
    if (free <= 0) return;
    for (const delivery of await listDue(db, now(), [...this.#underWay.keys()], free, this.#lastOwner)) {
      this.#lastOwner = delivery.owner;
      const sending = this.#send(delivery).finally(() => {
        this.#underWay.delete(delivery.upload_id);
        this.wake();
      });
      this.#underWay.set(delivery.upload_id, sending);
    }
  }

  async #send(due: DeliveryRow): Promise<void> {
    const { db, now, log } = this.#context;
    let delivery = due;
    try {
      const claimed = await claimDelivery(db, due, now() + LEASE_MS);
      if (!claimed) return;
      delivery = claimed;
      const attempt = await sendEvent(this.#url, this.#key, delivery.event, now(), this.#poller.signal);
      if (attempt.kind === 'accepted') {
        betweenSteps('webhook.accepted');
        await removeDelivery(db, delivery.seq);
        return;
      }
      const { trouble } = attempt;
      const isDead = attempt.isFinal || (this.#context.isClockSettled() && now() - delivery.created_at > GIVE_UP_MS);
      const nextAtMs = now() + waitOf(delivery.attempts, attempt.waitMs);
      await noteFailure(db, delivery, { status: isDead ? 'dead' : 'waiting', nextAtMs, trouble });
      const fields = { seq: delivery.seq, upload_id: delivery.upload_id, attempts: delivery.attempts + 1, trouble };
      if (isDead) log.error(fields, 'the webhook did not accept an event, which is not sent again');
      else if (delivery.attempts === 0) log.warn(fields, 'the webhook did not take an event; it is sent again');
    } catch (error) {
      const { signal } = this.#poller;
      if (signal.aborted) return await this.#release(delivery);
      log.error({ seq: delivery.seq, err: error }, 'a delivery was not recorded; it is sent again');
      await sleep(UNRECORDED_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** The next server, or this one after its next start, need not wait for the lease. */
  async #release(delivery: DeliveryRow): Promise<void> {
    await releaseDelivery(this.#context.db, delivery).catch((error: unknown) =>
      this.#context.log.warn({ seq: delivery.seq, err: error }, 'a delivery is sent again when its lease has ended'),
    );
  }
}

/** With jitter, so that a receiver that returns does not get all events at once. */
function waitOf(attempts: number, askedMs: number | null): number {
  const waitMs = WAITS_MS[Math.min(attempts, WAITS_MS.length - 1)] as number;
  const variedMs = Math.round(waitMs * (1 - VARIANCE + 2 * VARIANCE * Math.random()));
  return Math.max(variedMs, Math.min(askedMs ?? 0, MAX_WAIT_MS));
}
