/** The body of a request, written piece by piece while it is sent. */
import { Readable } from 'node:stream';

/** Waiting for the network to take them; more than this, and the writer waits. */
const BUFFER_BYTES = 512 * 1024;

export class PartBody extends Readable {
  #taken: PromiseWithResolvers<void> | null = null;

  constructor() {
    super({ highWaterMark: BUFFER_BYTES });
  }

  /** @param pieces which are kept until they are sent. @returns undefined when more can follow now, or what to wait for. */
  write(pieces: readonly Buffer[]): Promise<void> | undefined {
    // Nobody reads any more: the writer learns why from the answer.
    if (this.destroyed) return undefined;
    let hasRoom = true;
    for (const piece of pieces) hasRoom = this.push(piece);
    if (hasRoom) return undefined;
    this.#taken ??= Promise.withResolvers();
    return this.#taken.promise;
  }

  end(pieces: readonly Buffer[]): void {
    this.write(pieces);
    this.push(null);
  }

  override _read(): void {
    this.#taken?.resolve();
    this.#taken = null;
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.#taken?.resolve();
    this.#taken = null;
    done();
  }
}
