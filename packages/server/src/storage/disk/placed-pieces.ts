/** Pieces in a folder: they are written at their place in the staging file, as parts are. */
import type { PieceStorage } from '../pieces.ts';
import type { Extent, StagedUpload } from '../places.ts';
import type { PartSink, UploadStorage } from '../upload-storage.ts';
import { FileStream } from './file-stream.ts';
import { READ, READ_WRITE } from './file-system.ts';
import type { DiskLayout } from './layout.ts';
import type { Digester } from './threads/digester.ts';

export class PlacedPieces implements PieceStorage {
  readonly maxBytes = null;
  readonly #layout: DiskLayout;
  readonly #digester: Digester;
  readonly #uploads: Pick<UploadStorage, 'openSink'>;

  constructor(layout: DiskLayout, digester: Digester, uploads: Pick<UploadStorage, 'openSink'>) {
    this.#layout = layout;
    this.#digester = digester;
    this.#uploads = uploads;
  }

  async open(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'> {
    return await this.#uploads.openSink(upload, extent, null);
  }

  async hash({ id }: StagedUpload, extent: Extent): Promise<Uint8Array> {
    return await this.#digester.hash(this.#layout.staged(id), extent);
  }

  async *read({ id }: StagedUpload, { offset, length }: Extent): AsyncGenerator<Buffer> {
    if (length === 0) return;
    const { calls } = this.#layout;
    const handle = await calls.open(this.#layout.staged(id), READ);
    yield* new FileStream(calls, handle, { start: offset, end: offset + length - 1 });
  }

  async resize(upload: StagedUpload): Promise<void> {
    const { calls } = this.#layout;
    const handle = await calls.open(this.#layout.staged(upload.id), READ_WRITE);
    try {
      await calls.truncate(handle, upload.sizeBytes);
    } finally {
      await calls.close(handle);
    }
  }

  async remove(): Promise<void> {}

  async discard(): Promise<void> {}

  async list(): Promise<string[]> {
    return [];
  }
}
