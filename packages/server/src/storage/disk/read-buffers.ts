/** Buffers for large reads of downloads, which need less CPU time per byte. All streams of a storage share them. */

export const LARGE_READ_BYTES = 512 * 1024;
/** Memory limit for large reads of all streams together. */
const MAX_LARGE_BYTES = 64 * 1024 * 1024;
/** Buffers that are kept for the next download. */
const MAX_SPARE = 8;

export class ReadBuffers {
  readonly #maxBytes: number;
  readonly #spare: Buffer[] = [];
  #heldBytes = 0;

  constructor(maxBytes = MAX_LARGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the buffers that streams have. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @returns a buffer of LARGE_READ_BYTES with any content, or null when the streams have as much as they may. */
  take(): Buffer | null {
    if (this.#heldBytes + LARGE_READ_BYTES > this.#maxBytes) return null;
    this.#heldBytes += LARGE_READ_BYTES;
    // Memory that was used before costs the system nothing.
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_READ_BYTES);
  }

  /** @param isFree nobody reads from it or writes to it any more: it may be given to another download. */
  giveBack(buffer: Buffer, isFree: boolean): void {
    this.#heldBytes -= LARGE_READ_BYTES;
    if (isFree && this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }
}
