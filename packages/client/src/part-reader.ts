/** Reads parts of the file and hashes them, to be sent, or to be compared with what the server has. */
import type { Session } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import type { Part } from './api.ts';
import type { LocalDigests } from './local-digests.ts';
import type { Source } from './ports.ts';

/** A part that was read, and the buffer that it lies in. */
export interface Cargo extends Part {
  readonly buffer: Uint8Array<ArrayBuffer>;
}

export class PartReader {
  readonly #source: Source;
  readonly #digests: LocalDigests;
  readonly #sizeBytes: number;
  readonly #partSizeBytes: number;
  /** To be filled again. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];

  /** @param session whose parts these are. */
  constructor(source: Source, digests: LocalDigests, session: Session) {
    this.#source = source;
    this.#digests = digests;
    this.#sizeBytes = session.size;
    this.#partSizeBytes = session.part_size;
  }

  /** Give its buffer back when its bytes are not needed any more. */
  async read(idx: number): Promise<Cargo> {
    const { offset, length } = partExtent(this.#sizeBytes, this.#partSizeBytes, idx);
    const buffer = this.#buffers.pop() ?? new Uint8Array(Math.min(this.#partSizeBytes, this.#sizeBytes));
    const bytes = buffer.subarray(0, length);
    const digest = await this.#source.read(offset, bytes);
    this.#digests.set(this.#source, this.#partSizeBytes, idx, digest);
    return { idx, offset, bytes, digest, buffer };
  }

  /** Reads the part only if it was not read before. */
  async digest(idx: number): Promise<Uint8Array> {
    const known = this.#digests.get(this.#source, this.#partSizeBytes, idx);
    if (known) return known;
    const { digest, buffer } = await this.read(idx);
    this.#buffers.push(buffer);
    return digest;
  }

  /** @param most so many that wait to be filled again are enough. */
  giveBack({ buffer }: Cargo, most: number): void {
    if (this.#buffers.length <= most) this.#buffers.push(buffer);
  }
}
