/** What one stream has been told of and has not looked at yet. Its size is bounded by the uploads that are under way. */
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
    // Those who wait know of the first one, and wait for as long as they want to gather more.
    if (this.#moved.size === 1) this.#wake();
  }

  /** Parts were stored that nobody has looked at. */
  get hasMoved(): boolean {
    return this.#moved.size > 0;
  }

  /** The upload that waits longest of those of which parts were stored. */
  takeMoved(): string | undefined {
    const [uploadId] = this.#moved;
    if (uploadId !== undefined) this.#moved.delete(uploadId);
    return uploadId;
  }

  /** Resolves after `ms`, or earlier: at once when there is news, at the first part stored, when `signal` says so. */
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
