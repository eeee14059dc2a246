/** How far one upload is, and who is told. */
import type { Session } from '@cryolift/protocol/messages';
import { ConnectionError } from '../failures.ts';
import type { Patience } from '../pacing/retry-policy.ts';
import { Ledger } from './part-ledger.ts';
import type { Progress } from './upload-options.ts';
import { type ClientEvent, type ClientState, transition } from './upload-states.ts';

/** Bytes on their way are reported this often; everything else at once. */
const REPORT_MS = 200;

export class RunProgress {
  readonly #totalBytes: number;
  readonly #patience: Patience;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #state: ClientState = 'planning';
  #isOwn = false;
  #sentBytes = 0;
  #trouble: unknown = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  ledger = new Ledger();
  /** As the server described it last. */
  session: Session | null = null;
  resumedBytes = 0;

  constructor(totalBytes: number, patience: Patience, onProgress: ((progress: Progress) => void) | undefined) {
    this.#totalBytes = totalBytes;
    this.#patience = patience;
    this.#onProgress = onProgress;
  }

  /** The session is known to be of this file. */
  noteOwn(): void {
    this.#isOwn = true;
  }

  /** The session is not gone on with. */
  leaveSession(): void {
    this.ledger = new Ledger();
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
  noteTrouble(error: unknown): void {
    this.#trouble = error;
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
    const trouble = this.#trouble;
    this.#reportedMs = performance.now();
    this.#onProgress?.({
      state: this.#state,
      session: this.#isOwn ? this.session : null,
      storedBytes: this.ledger.storedBytes,
      totalBytes: this.#totalBytes,
      resumedBytes: this.resumedBytes,
      sentBytes: this.#sentBytes,
      retries: this.#patience.retries,
      trouble: trouble === null || trouble instanceof Error ? (trouble?.message ?? null) : String(trouble),
      offline: trouble instanceof ConnectionError && trouble.offline,
      stored: this.ledger.stored,
      underWay: this.ledger.underWay,
    });
  }
}
