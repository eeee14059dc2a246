/**
 * The leases of this server in the database that it shares with others. They are renewed in time; a holder is notified
 * when another server asks for its lease, and when it may have lost it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import {
  askForLease,
  findLease,
  findLeases,
  findLeasesNamed,
  type HeldLease,
  releaseLease,
  renewLeases,
  takeLease,
} from '../db/leases.ts';
import { Lease } from './lease.ts';

/** So long another server waits for what a dead server held. Less than the time-outs of common proxies. */
const TTL_MS = 20_000;
const RENEW_MS = 5_000;
/** A holder counts its lease as lost so long before its time is over. */
const MARGIN_MS = 2_000;
/** How often a holder asks whether another server wants its leases, and finds lost ones. A notification comes sooner. */
const POLL_MS = 1_000;
/** How often the next holder asks whether a lease is free. */
const WAIT_MS = 100;

interface LeaseLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface LeaseTimes {
  readonly ttlMs: number;
  readonly renewMs: number;
  readonly pollMs: number;
}

export class Leases {
  readonly #db: Database;
  readonly #newId: () => string;
  readonly #log: LeaseLog;
  readonly #times: LeaseTimes;
  /** By name. */
  readonly #held = new Map<string, Lease>();
  /** By name: the end of the lease that this server is giving back. */
  readonly #ending = new Map<string, Promise<void>>();
  #renewedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | null = null;

  /** @param newId a new id that no other server makes. */
  constructor(db: Database, newId: () => string, log: LeaseLog, times: Partial<LeaseTimes> = {}) {
    this.#db = db;
    this.#newId = newId;
    this.#log = log;
    this.#times = { ttlMs: TTL_MS, renewMs: RENEW_MS, pollMs: POLL_MS, ...times };
  }

  /** To be called when the database has notified of leases that are asked for. */
  wake(): void {
    if (this.#held.size > 0) void this.#check();
  }

  /** Takes a lease. @returns null when another holder has it. @throws UploadError `database_unavailable`. */
  async take(name: string): Promise<Lease | null> {
    return await this.#take({ name, holder: this.#newId() });
  }

  /** Keeps others from a name for some time, without a holder that could give it back. @returns false when somebody did. */
  async claim(name: string, forMs: number): Promise<boolean> {
    return await takeLease(this.#db, { name, holder: this.#newId() }, forMs);
  }

  /**
   * Waits until no other server holds the lease, and takes it.
   *
   * @throws UploadError `database_unavailable`, or the reason of `signal`.
   */
  async waitFor(name: string, signal?: AbortSignal): Promise<Lease> {
    const wanted = { name, holder: this.#newId() };
    for (;;) {
      signal?.throwIfAborted();
      const lease = await this.#take(wanted);
      if (lease) return lease;
      await sleep(WAIT_MS, undefined, signal ? { signal } : {});
    }
  }

  /**
   * Makes the holder give the lease up, and takes it. Among several that ask, the newest one gets it.
   *
   * @param isOver ends the waiting.
   * @returns null when a newer one has asked for it since, or `isOver`. @throws UploadError `database_unavailable`.
   */
  async replace(name: string, isOver: () => boolean = () => false): Promise<Lease | null> {
    const wanted = { name, holder: this.#newId() };
    let older: string | undefined;
    for (; !isOver(); await sleep(WAIT_MS)) {
      if (older !== undefined && (await this.#isOvertaken(wanted, older))) return null;
      const lease = await this.#take(wanted);
      if (lease) return lease;
      older ??= await askForLease(this.#db, name, wanted.holder);
    }
    return null;
  }

  /** Whether another server, or this one, has the lease. */
  async isHeld(name: string): Promise<boolean> {
    return (await findLease(this.#db, name)) !== undefined;
  }

  /** The names among these of which another server, or this one, has the lease. */
  async listHeld(names: readonly string[]): Promise<Set<string>> {
    return new Set((await findLeasesNamed(this.#db, names)).map(({ name }) => name));
  }

  /** Resolves when nobody has the lease. @param forMs at most. */
  async waitUntilFree(name: string, forMs = Number.POSITIVE_INFINITY): Promise<void> {
    for (const endMs = performance.now() + forMs; performance.now() < endMs && (await this.isHeld(name)); ) {
      await sleep(WAIT_MS);
    }
  }

  /** As long as one waits before asking again. */
  async pause(): Promise<void> {
    await sleep(WAIT_MS);
  }

  /** Gives all leases back. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
    await Promise.all([...this.#held.values()].map((lease) => lease.release()));
    await Promise.all(this.#ending.values());
  }

  async #take(wanted: HeldLease): Promise<Lease | null> {
    await this.#ending.get(wanted.name);
    const askedMs = performance.now();
    if (!(await takeLease(this.#db, wanted, this.#times.ttlMs))) return null;
    const lease = new Lease(wanted, this.#endOf(askedMs), {
      confirm: (held) => this.#confirm(held),
      end: (ended) => this.#end(ended),
    });
    this.#held.set(lease.name, lease);
    this.#timer ??= setInterval(() => this.#tick(), this.#times.pollMs).unref();
    return lease;
  }

  async #isOvertaken({ name, holder }: HeldLease, older: string): Promise<boolean> {
    const row = await findLease(this.#db, name);
    if (!row) return false;
    return row.holder !== older || row.successor !== holder;
  }

  async #confirm(lease: Lease): Promise<boolean> {
    const isShort = lease.remainingMs() < this.#times.ttlMs / 2;
    const kept = isShort ? await this.#renew([lease]) : await findLeases(this.#db, [lease]);
    if (kept.length === 0) lease.noteLost();
    return kept.length > 0;
  }

  #tick(): void {
    for (const [name, lease] of this.#held) if (lease.isEnded) this.#held.delete(name);
    if (this.#held.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    // Not in `#check`: the database may not answer.
    this.#loseOverdue();
    void this.#check();
  }

  /** Joins a running check. */
  async #check(): Promise<void> {
    this.#checking ??= this.#renewAndAsk()
      .catch((error: unknown) => this.#log.warn({ err: error, leases: this.#held.size }, 'leases could not be renewed'))
      .finally(() => {
        this.#checking = null;
      });
    await this.#checking;
  }

  /** Renews leases in time, and finds those that are asked for or lost. */
  async #renewAndAsk(): Promise<void> {
    const leases = [...this.#held.values()];
    const isDue = performance.now() - this.#renewedAtMs >= this.#times.renewMs;
    const rows = isDue ? await this.#renew(leases) : await findLeases(this.#db, leases);
    if (isDue) this.#renewedAtMs = performance.now();
    const kept = new Map(rows.map((row) => [row.holder, row]));
    for (const lease of leases) {
      const row = kept.get(lease.holder);
      if (!row) lease.noteLost();
      else if (row.successor !== null) lease.noteAsked();
    }
  }

  async #renew(leases: readonly Lease[]) {
    const askedMs = performance.now();
    const rows = await renewLeases(this.#db, leases, this.#times.ttlMs);
    const kept = new Set(rows.map(({ holder }) => holder));
    for (const lease of leases) if (kept.has(lease.holder)) lease.noteRenewed(this.#endOf(askedMs));
    return rows;
  }

  /** What could not be renewed in time. */
  #loseOverdue(): void {
    for (const lease of this.#held.values()) if (lease.remainingMs() === 0) lease.noteLost();
  }

  /** Counted from before the question, so that it is over here before it is over in the database. */
  #endOf(askedMs: number): number {
    return askedMs + this.#times.ttlMs - Math.min(MARGIN_MS, this.#times.ttlMs / 4);
  }

  async #end(lease: Lease): Promise<void> {
    if (this.#held.get(lease.name) === lease) this.#held.delete(lease.name);
    const ending = releaseLease(this.#db, lease)
      .catch((error: unknown) => this.#log.warn({ lease: lease.name, err: error }, 'a lease was not given back'))
      .finally(() => {
        if (this.#ending.get(lease.name) === ending) this.#ending.delete(lease.name);
      });
    this.#ending.set(lease.name, ending);
    await ending;
  }
}
