/**
 * Pieces in a bucket: each is an object, because the parts of a multipart upload cannot be read or continued. A piece is in
 * memory until it is stored.
 */
import { createHash, randomUUID } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { MIB } from '@cryolift/protocol/plan';
import { BytesGone } from '../errors.ts';
import type { PieceStorage, StoredPiece } from '../pieces.ts';
import type { Extent, StagedUpload } from '../places.ts';
import type { CommittedPart, PartSink } from '../upload-storage.ts';
import type { Bucket } from './bucket.ts';
import { explainS3 } from './errors.ts';
import { listIds, removeId } from './folders.ts';
import type { Keys } from './keys.ts';

/** Less needs more requests, more needs more memory. */
const MAX_BYTES = 4 * MIB;

type Named = Extent & Pick<StoredPiece, 'receipt'>;

export class S3Pieces implements PieceStorage {
  readonly maxBytes = MAX_BYTES;
  readonly #bucket: Bucket;
  readonly #keys: Keys;

  constructor(bucket: Bucket, keys: Keys) {
    this.#bucket = bucket;
    this.#keys = keys;
  }

  async open({ id }: StagedUpload): Promise<PartSink> {
    await this.#bucket.throttle.wait();
    return new PieceSink(async (bytes) => {
      // A name of its own: an older request for the same bytes cannot replace it.
      const name = randomUUID();
      await this.#bucket.put(this.#keys.ofPiece(id, name), bytes);
      return name;
    });
  }

  async hash(upload: StagedUpload, piece: Named): Promise<Uint8Array> {
    const hash = createHash('sha256');
    for await (const bytes of this.read(upload, piece)) hash.update(bytes);
    return new Uint8Array(hash.digest());
  }

  async *read({ id }: StagedUpload, { receipt }: Named): AsyncGenerator<Buffer> {
    const body = receipt === null ? null : await this.#bucket.get(this.#keys.ofPiece(id, receipt));
    if (!body) throw new BytesGone('A piece of this upload is not in the storage.', { isAbsent: true });
    try {
      yield* body;
    } catch (error) {
      throw explainS3(error);
    }
  }

  async resize(): Promise<void> {}

  async remove({ id }: StagedUpload, pieces: readonly StoredPiece[]): Promise<void> {
    for (const { receipt } of pieces) {
      if (receipt !== null) await this.#bucket.remove(this.#keys.ofPiece(id, receipt));
    }
  }

  async discard(uploadId: string): Promise<void> {
    await removeId(this.#bucket, this.#keys.pieces, uploadId);
  }

  async list(): Promise<string[]> {
    return await listIds(this.#bucket, this.#keys, this.#keys.pieces);
  }
}

class PieceSink implements PartSink {
  readonly #store: (bytes: Buffer) => Promise<string>;
  readonly #chunks: Buffer[] = [];
  #committed: Promise<CommittedPart> | null = null;
  #isAborted = false;

  /** @param store returns the receipt. */
  constructor(store: (bytes: Buffer) => Promise<string>) {
    this.#store = store;
  }

  write(bytes: Buffer): undefined {
    if (this.#isAborted) throw new UploadError('storage_unavailable', 'This piece was given up.');
    // The caller reuses its buffer at once.
    this.#chunks.push(Buffer.from(bytes));
  }

  async commit(): Promise<CommittedPart> {
    this.#committed ??= this.#finish();
    return await this.#committed;
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    this.#chunks.length = 0;
    await this.#committed?.catch(() => {});
  }

  async #finish(): Promise<CommittedPart> {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    const sha256 = new Uint8Array(createHash('sha256').update(bytes).digest());
    return { sha256, receipt: await this.#store(bytes) };
  }
}
