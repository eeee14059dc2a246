/** A lease that this server holds, or has held. */
import type { HeldLease } from '../db/leases.ts';

interface Owner {
  /** Whether the database knows the lease as that of this server. */
  confirm(lease: Lease): Promise<boolean>;
  /** Gives it back. */
  end(lease: Lease): Promise<void>;
}

export class Lease implements HeldLease {
  readonly name: string;
  readonly holder: string;
  /** By the monotonic clock: after this time another server may have it. */
  #endsAtMs: number;
  #state: 'held' | 'lost' | 'ended' = 'held';
  #isAsked = false;
  readonly #lost = new AbortController();
  #onAsked: () => void = () => {};
  readonly #owner: Owner;

  constructor({ name, holder }: HeldLease, endsAtMs: number, owner: Owner) {
    this.name = name;
    this.holder = holder;
    this.#endsAtMs = endsAtMs;
    this.#owner = owner;
  }

  /** Aborted when another server may have it: what it protects must not be changed any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Milliseconds until it ends, if it is not renewed; 0: it is not held any more. */
  remainingMs(): number {
    return this.#state === 'held' ? Math.max(0, this.#endsAtMs - performance.now()) : 0;
  }

  /** It was given back. */
  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** @param onAsked is called when another server wants it, also when that was before. */
  whenAsked(onAsked: () => void): void {
    this.#onAsked = onAsked;
    if (this.#isAsked) onAsked();
  }

  /**
   * Whether this server still has the lease, by the database, and for some time at least.
   *
   * @throws UploadError `database_unavailable`.
   */
  async confirm(): Promise<boolean> {
    return this.#state === 'held' && (await this.#owner.confirm(this)) && this.remainingMs() > 0;
  }

  /** Gives it back. Safe to repeat. A failure is logged, and another server waits until its time is over. */
  async release(): Promise<void> {
    const wasHeld = this.#state !== 'ended';
    this.#state = 'ended';
    if (wasHeld) await this.#owner.end(this);
  }

  /** For `Leases`. */
  noteRenewed(endsAtMs: number): void {
    this.#endsAtMs = endsAtMs;
  }

  /** For `Leases`. */
  noteAsked(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#onAsked();
  }

  /** For `Leases`. */
  noteLost(): void {
    if (this.#state !== 'held') return;
    this.#state = 'lost';
    this.#lost.abort();
  }

  /** It was given back in a transaction. */
  noteReleased(): void {
    if (this.#state === 'held') this.#state = 'ended';
  }
}
