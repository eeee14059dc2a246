/** The body of a request, written piece by piece while it is sent. */
import { Readable, type Writable } from 'node:stream';

/** On their way to the network; with so many the writer waits. */
const BUFFER_BYTES = 512 * 1024;

interface Piece {
  readonly bytes: Buffer;
  readonly onSent: (() => void) | null;
}

/**
 * A stream for the library, which pipes it into the request. Its pieces are written there without the buffers of a stream,
 * so that it is known when their memory is free again.
 */
export class PartBody extends Readable {
  #target: Writable | null = null;
  /** Until there is a request. */
  #early: Piece[] = [];
  #isOver = false;
  /** Written and not yet sent. */
  #bytes = 0;
  #taken: PromiseWithResolvers<void> | null = null;

  /**
   * @param pieces which are kept until they are sent. @param onSent called when nobody reads them any more; not after an
   * error. @returns undefined when more can follow now, or what to wait for.
   */
  write(pieces: readonly Buffer[], onSent: (() => void) | null = null): Promise<void> | undefined {
    // Nobody reads any more: the writer learns why from the answer.
    if (this.destroyed) return undefined;
    for (const [at, bytes] of pieces.entries()) {
      const piece = { bytes, onSent: at === pieces.length - 1 ? onSent : null };
      this.#bytes += bytes.length;
      if (this.#target) this.#send(this.#target, piece);
      else this.#early.push(piece);
    }
    if (this.#bytes < BUFFER_BYTES) return undefined;
    this.#taken ??= Promise.withResolvers();
    return this.#taken.promise;
  }

  end(pieces: readonly Buffer[]): void {
    this.write(pieces);
    this.#isOver = true;
    this.#target?.end();
  }

  override pipe<T extends NodeJS.WritableStream>(target: T): T {
    this.#target = target as unknown as Writable;
    for (const piece of this.#early) this.#send(this.#target, piece);
    this.#early = [];
    if (this.#isOver) this.#target.end();
    return target;
  }

  #send(target: Writable, { bytes, onSent }: Piece): void {
    target.write(bytes, (error) => {
      this.#bytes -= bytes.length;
      if (!error) onSent?.();
      if (this.#bytes < BUFFER_BYTES) this.#release();
    });
  }

  #release(): void {
    this.#taken?.resolve();
    this.#taken = null;
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.#early = [];
    this.#release();
    done();
  }
}
