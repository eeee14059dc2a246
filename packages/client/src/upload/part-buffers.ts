/** Buffers for the parts of all uploads of one uploader, with a limit on their bytes. */

const MAX_BYTES = 256 * 1024 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly start: (buffer: Uint8Array<ArrayBuffer>) => void;
}

export class PartBuffers {
  readonly #maxBytes: number;
  /** First come, first served. */
  readonly #waiting = new Set<Waiting>();
  /** Free buffers for reuse. */
  #free: Uint8Array<ArrayBuffer>[] = [];
  #usedBytes = 0;
  #freeBytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Waits until memory is free. One buffer is always given. Return it with `giveBack`. @throws the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    const waiting = { bytes, start: resolve };
    const onAbort = () => {
      if (!this.#waiting.delete(waiting)) return;
      reject(signal.reason);
      this.#next();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(waiting);
    this.#next();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** True when a buffer of this size is given at once. */
  hasFree(bytes: number): boolean {
    return this.#waiting.size === 0 && (this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#maxBytes);
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#usedBytes -= buffer.length;
    this.#freeBytes += buffer.length;
    this.#free.push(buffer);
    this.#next();
    // No part is being sent: an idle program keeps no buffers.
    if (this.#usedBytes === 0) this.#dropFree(0);
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      const { bytes, start } = waiting;
      if (this.#usedBytes > 0 && this.#usedBytes + bytes > this.#maxBytes) return;
      this.#waiting.delete(waiting);
      const buffer = this.#takeFree(bytes) ?? this.#make(bytes);
      this.#usedBytes += bytes;
      start(buffer);
    }
  }

  #takeFree(bytes: number): Uint8Array<ArrayBuffer> | null {
    const at = this.#free.findIndex(({ length }) => length === bytes);
    const [buffer = null] = at < 0 ? [] : this.#free.splice(at, 1);
    if (buffer) this.#freeBytes -= bytes;
    return buffer;
  }

  #make(bytes: number): Uint8Array<ArrayBuffer> {
    this.#dropFree(Math.max(0, this.#maxBytes - this.#usedBytes - bytes));
    return new Uint8Array(bytes);
  }

  #dropFree(mostBytes: number): void {
    while (this.#freeBytes > mostBytes) this.#freeBytes -= this.#free.shift()?.length ?? 0;
  }
}
