/** A file as the body of one request: read once, from its first byte to its last. */
import type { Readable } from 'node:stream';
import { type OutgoingFile, PushRefused } from './delivery.ts';

export class OutgoingBody {
  readonly length: number;
  readonly blob = null;
  readonly #file: OutgoingFile;
  #stream: Readable | null = null;
  #chunks: AsyncIterator<Buffer> | null = null;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: OutgoingFile) {
    this.#file = file;
    this.length = file.sizeBytes;
  }

  /** To be called with one offset after the other. */
  async fill(_offset: number, into: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#stream ??= await this.#file.read(0, this.length - 1);
    this.#chunks ??= this.#stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (let at = 0; at < into.length; ) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done)
          throw new PushRefused(`The bytes of ${this.#file.path} end too early in the storage of this server.`);
        this.#rest = next.value;
      }
      const taken = this.#rest.subarray(0, into.length - at);
      into.set(taken, at);
      at += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
  }

  close(): void {
    this.#stream?.destroy();
  }
}
