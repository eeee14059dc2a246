/** Confirms to the server which parts the object storage has taken, several at a time. */
import type { ConfirmedParts } from '@cryolift/protocol/messages';
import type { PartClaim } from '../api/api.ts';
import { sleep } from '../pacing/retry-policy.ts';

/** Parts that are taken within this time are confirmed together. */
const GATHER_MS = 50;
const MAX_AT_ONCE = 500;

interface ConfirmationOptions {
  /** Repeats itself while its error is temporary. */
  confirm(claims: readonly PartClaim[]): Promise<ConfirmedParts>;
  /** The server has answered for these parts. May throw. */
  settle(parts: ConfirmedParts['parts']): Promise<void>;
}

export class Confirmations {
  readonly #options: ConfirmationOptions;
  #waiting: PartClaim[] = [];
  /** Confirms what is waiting. */
  #next: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ConfirmationOptions) {
    this.#options = options;
  }

  /** Resolves after the server has answered for the part. @throws as the options do. */
  async add(claim: PartClaim): Promise<void> {
    this.#waiting.push(claim);
    this.#next ??= this.#confirmNext();
    await this.#next;
  }

  async #confirmNext(): Promise<void> {
    // Its own callers handle its failure.
    await this.#last.catch(() => {});
    await sleep(GATHER_MS, undefined);
    const claims = this.#waiting;
    this.#waiting = [];
    this.#next = null;
    this.#last = this.#confirmAll(claims);
    await this.#last;
  }

  async #confirmAll(claims: readonly PartClaim[]): Promise<void> {
    for (let from = 0; from < claims.length; from += MAX_AT_ONCE) {
      const batch = claims.slice(from, from + MAX_AT_ONCE);
      const { parts } = await this.#options.confirm(batch);
      await this.#options.settle(parts);
    }
  }
}
