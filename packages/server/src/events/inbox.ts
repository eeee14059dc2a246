/** The notifications that one stream has not processed. Its size is bounded by the number of open uploads. */
import type { Listener } from './bus.ts';

export class Inbox implements Listener {
  readonly #moved = new Set<string>();
  #hasChanged = false;
  #wake = (): void => {};

  notifyChange(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  noteParts(uploadId: string): void {
    this.#moved.add(uploadId);
    // Waiters were woken by the first one, and wait to collect more.
    if (this.#moved.size === 1) this.#wake();
  }

  /** Parts were stored since the last read. */
  get hasMoved(): boolean {
    return this.#moved.size > 0;
  }

  /** The upload with unread parts that has waited longest. */
  takeMoved(): string | undefined {
    const [uploadId] = this.#moved;
    if (uploadId !== undefined) this.#moved.delete(uploadId);
    return uploadId;
  }

  /** Resolves after `ms`, or earlier: at a new event, at the first stored part, or when `signal` is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#hasChanged && !signal.aborted && ms > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      signal.addEventListener('abort', this.#wake);
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', this.#wake);
      this.#wake = () => {};
    }
    this.#hasChanged = false;
  }
}
