/** The open event streams. */
import { UploadError } from '@cryolift/protocol/errors';

/** Of one owner at a time. */
const MAX_PER_OWNER = 32;
/** The longest timer of Node; longer ones fire immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Streams {
  readonly #now: () => number;
  readonly #open = new Map<string, Set<AbortController>>();

  /** @param now milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * @param untilMs when the stream must end, milliseconds since 1970; Infinity: no limit.
   * @returns a function that ends it; it is counted until then. @throws UploadError `rate_limited` when the owner has
   * too many.
   */
  begin(owner: string, untilMs: number): AbortController {
    const ofOwner = this.#open.get(owner) ?? new Set();
    if (ofOwner.size >= MAX_PER_OWNER) {
      throw new UploadError('rate_limited', `You have ${MAX_PER_OWNER} event streams open.`, {
        hint: 'Close one, or use GET /events, which has the events of all your uploads.',
      });
    }
    const stream = new AbortController();
    this.#open.set(owner, ofOwner.add(stream));
    const timer = setTimeout(() => stream.abort(), Math.min(untilMs - this.#now(), MAX_TIMER_MS));
    stream.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      ofOwner.delete(stream);
      if (ofOwner.size === 0 && this.#open.get(owner) === ofOwner) this.#open.delete(owner);
    });
    return stream;
  }

  endAll(): void {
    for (const ofOwner of [...this.#open.values()]) for (const stream of [...ofOwner]) stream.abort();
  }

  get count(): number {
    let count = 0;
    for (const ofOwner of this.#open.values()) count += ofOwner.size;
    return count;
  }
}
