/** Pieces in memory: at their place in the upload. */
import { createHash } from 'node:crypto';
import type { PieceStorage } from '../pieces.ts';
import type { Extent, StagedUpload } from '../places.ts';
import type { PartSink, UploadStorage } from '../upload-storage.ts';

/** The staged bytes by upload. */
interface StagedBytes extends Pick<UploadStorage, 'openSink'> {
  /** @throws BytesGone. */
  bytesOf(uploadId: string): Buffer;
  replace(uploadId: string, bytes: Buffer): void;
}

export class MemoryPieces implements PieceStorage {
  readonly maxBytes = null;
  readonly #staged: StagedBytes;

  constructor(staged: StagedBytes) {
    this.#staged = staged;
  }

  async open(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'> {
    return await this.#staged.openSink(upload, extent, null);
  }

  async hash({ id }: StagedUpload, extent: Extent): Promise<Uint8Array> {
    return new Uint8Array(createHash('sha256').update(this.#slice(id, extent)).digest());
  }

  async *read({ id }: StagedUpload, extent: Extent): AsyncGenerator<Buffer> {
    yield this.#slice(id, extent);
  }

  async resize({ id, sizeBytes }: StagedUpload): Promise<void> {
    const before = this.#staged.bytesOf(id);
    if (before.length === sizeBytes) return;
    const resized = Buffer.alloc(sizeBytes);
    before.copy(resized);
    this.#staged.replace(id, resized);
  }

  async remove(): Promise<void> {}

  async discard(): Promise<void> {}

  async list(): Promise<string[]> {
    return [];
  }

  #slice(id: string, { offset, length }: Extent): Buffer {
    return this.#staged.bytesOf(id).subarray(offset, offset + length);
  }
}
