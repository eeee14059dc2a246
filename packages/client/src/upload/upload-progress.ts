/** The progress of one upload, and its listener. */
import type { Session } from '@cryolift/protocol/messages';
import { ConnectionError } from '../failures.ts';
import type { RetryPolicy } from '../pacing/retry-policy.ts';
import { PartLedger } from './part-ledger.ts';
import type { Progress } from './upload-options.ts';
import { type ClientEvent, type ClientState, transition } from './upload-states.ts';

/** Bytes on their way are reported this often; everything else at once. */
const REPORT_MS = 200;

export class UploadProgress {
  readonly #totalBytes: number;
  readonly #retryPolicy: RetryPolicy;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #state: ClientState = 'planning';
  #isOwn = false;
  #sentBytes = 0;
  #lastError: unknown = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  ledger = new PartLedger();
  /** As the server described it last. */
  session: Session | null = null;
  resumedBytes = 0;

  constructor(totalBytes: number, retryPolicy: RetryPolicy, onProgress: ((progress: Progress) => void) | undefined) {
    this.#totalBytes = totalBytes;
    this.#retryPolicy = retryPolicy;
    this.#onProgress = onProgress;
  }

  /** The session is known to be of this file. */
  noteOwn(): void {
    this.#isOwn = true;
  }

  /** The session is not gone on with. */
  leaveSession(): void {
    this.ledger = new PartLedger();
    this.resumedBytes = 0;
    this.session = null;
    this.#isOwn = false;
    this.enter('other');
  }

  noteSent(bytes: number): void {
    this.#sentBytes += bytes;
    this.reportNowAndThen();
  }

  /** What is being waited out now; null: nothing, from the next report on. */
  noteError(error: unknown): void {
    this.#lastError = error;
    if (error !== null) this.report();
  }

  enter(event: ClientEvent): void {
    this.#state = transition(this.#state, event);
    this.report();
  }

  reportNowAndThen(): void {
    if (performance.now() - this.#reportedMs >= REPORT_MS) this.report();
  }

  report(): void {
    const lastError = this.#lastError;
    this.#reportedMs = performance.now();
    this.#onProgress?.({
      state: this.#state,
      session: this.#isOwn ? this.session : null,
      storedBytes: this.ledger.storedBytes,
      totalBytes: this.#totalBytes,
      resumedBytes: this.resumedBytes,
      sentBytes: this.#sentBytes,
      retries: this.#retryPolicy.retries,
      lastError: lastError === null || lastError instanceof Error ? (lastError?.message ?? null) : String(lastError),
      offline: lastError instanceof ConnectionError && lastError.offline,
      stored: this.ledger.stored,
      underWay: this.ledger.underWay,
    });
  }
}
