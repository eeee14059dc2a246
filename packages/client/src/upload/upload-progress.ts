/** The progress of one upload, and its listener. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { ConnectionError, ServerError } from '../failures.ts';
import type { RetryPolicy } from '../pacing/retry-policy.ts';
import { PartLedger } from './part-ledger.ts';
import type { Progress } from './upload-options.ts';
import { type ClientEvent, type ClientState, transition } from './upload-states.ts';

/** Bytes in transit are reported this often; all other changes at once. */
const REPORT_MS = 200;

export class UploadProgress {
  readonly #totalBytes: number;
  readonly #retryPolicy: RetryPolicy;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #state: ClientState = 'planning';
  #isOwn = false;
  #sentBytes = 0;
  #savedBytes = 0;
  #lastError: unknown = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  ledger = new PartLedger();
  /** The last record from the server. */
  upload: UploadRecord | null = null;
  resumedBytes = 0;

  constructor(totalBytes: number, retryPolicy: RetryPolicy, onProgress: ((progress: Progress) => void) | undefined) {
    this.#totalBytes = totalBytes;
    this.#retryPolicy = retryPolicy;
    this.#onProgress = onProgress;
  }

  /** The upload is known to belong to this file. */
  noteOwn(): void {
    this.#isOwn = true;
  }

  /** The upload is not continued. */
  leaveUpload(): void {
    this.ledger = new PartLedger();
    this.resumedBytes = 0;
    this.upload = null;
    this.#isOwn = false;
    this.enter('other');
  }

  noteSent(bytes: number): void {
    this.#sentBytes += bytes;
    this.reportNowAndThen();
  }

  /** A compressed part with so many fewer bytes was acknowledged. */
  noteSaved(bytes: number): void {
    this.#savedBytes += bytes;
  }

  /** The current error; null: none, from the next report on. */
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
      upload: this.#isOwn ? this.upload : null,
      storedBytes: this.ledger.storedBytes,
      totalBytes: this.#totalBytes,
      resumedBytes: this.resumedBytes,
      sentBytes: this.#sentBytes,
      savedBytes: this.#savedBytes,
      retries: this.#retryPolicy.retries,
      lastError: lastError === null || lastError instanceof Error ? (lastError?.message ?? null) : String(lastError),
      lastErrorCode: lastError instanceof ServerError ? lastError.code : null,
      offline: lastError instanceof ConnectionError && lastError.offline,
      stored: this.ledger.stored,
      underWay: this.ledger.underWay,
    });
  }
}
