/** Reads and hashes parts of the file, to send them or to compare them with the server's. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import type { Part } from '../api/api.ts';
import type { Source } from '../ports.ts';
import type { LocalDigests } from './local-digests.ts';
import type { PartBuffers } from './part-buffers.ts';

/**
 * Larger parts are read twice, to be hashed and to be sent, and never kept in memory as a whole. So are further parts
 * when those in flight have all the memory: over a path with many slow connections.
 */
const LARGEST_BUFFERED_BYTES = 32 * 1024 * 1024;

/** A part that was read and hashed. */
export interface LoadedPart extends Part {
  /** Its buffer; null when the part is read again while it is sent. */
  readonly buffer: Uint8Array<ArrayBuffer> | null;
}

export class PartReader {
  readonly #source: Source;
  readonly #digests: LocalDigests;
  readonly #buffers: PartBuffers;
  readonly #sizeBytes: number;
  readonly #partSizeBytes: number;

  /** @param upload whose parts these are. */
  constructor(source: Source, digests: LocalDigests, buffers: PartBuffers, upload: UploadRecord) {
    this.#source = source;
    this.#digests = digests;
    this.#buffers = buffers;
    this.#sizeBytes = upload.size;
    this.#partSizeBytes = upload.part_size;
  }

  /**
   * Call `release` when the bytes are not needed any more.
   *
   * @param whole waits for a buffer if memory is short: the part is to be compressed.
   * @throws SourceError, the signal's reason.
   */
  async read(idx: number, whole: boolean, signal: AbortSignal): Promise<LoadedPart> {
    const { offset, length } = partExtent(this.#sizeBytes, this.#partSizeBytes, idx);
    const bufferBytes = Math.min(this.#partSizeBytes, this.#sizeBytes);
    if (length > LARGEST_BUFFERED_BYTES || !(whole || this.#buffers.hasFree(bufferBytes))) {
      const digest = await this.digest(idx);
      return { idx, offset, body: this.#source.body(offset, length), digest, buffer: null };
    }
    const buffer = await this.#buffers.take(bufferBytes, signal);
    try {
      const body = buffer.subarray(0, length);
      const digest = await this.#source.read(offset, body);
      this.#digests.set(this.#source, this.#partSizeBytes, idx, digest);
      return { idx, offset, body, digest, buffer };
    } catch (error) {
      this.#buffers.giveBack(buffer);
      throw error;
    }
  }

  /** Reads the part only if it was not read before. */
  async digest(idx: number): Promise<Uint8Array> {
    const known = this.#digests.get(this.#source, this.#partSizeBytes, idx);
    if (known) return known;
    const { offset, length } = partExtent(this.#sizeBytes, this.#partSizeBytes, idx);
    const digest = await this.#source.digest(offset, length);
    this.#digests.set(this.#source, this.#partSizeBytes, idx, digest);
    return digest;
  }

  release({ buffer }: LoadedPart): void {
    if (buffer) this.#buffers.giveBack(buffer);
  }
}
