/**
 * Staged uploads in a bucket: each is a multipart upload under the key of its file. Its parts cannot be read before they are
 * assembled; what is stored is known by the ETag that the service answered with when it took a part.
 */
import { createHash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import { BytesGone } from '../errors.ts';
import type { Extent, FilePlace, PartSelection, StagedName, StagedUpload, StoredPart } from '../places.ts';
import type { FoundStaged, PartSink, UploadStorage, WholeDigest } from '../upload-storage.ts';
import type { Bucket, ListedPart, PartAnswer } from './bucket.ts';
import { explainS3 } from './errors.ts';
import type { Keys } from './keys.ts';
import { S3_LIMITS } from './limits.ts';
import { listMultiparts, listParts } from './multiparts.ts';
import { copyObject } from './object-copy.ts';
import { digestObject } from './object-digest.ts';
import { S3PartSink } from './part-sink.ts';

type NumberedAnswer = PartAnswer & { readonly number: number };

/** A request that found another one at work comes again after this time. */
const BUSY_SECONDS = 2;

export class S3Uploads implements UploadStorage {
  readonly limits = S3_LIMITS;
  readonly hasRefs = true;
  readonly #bucket: Bucket;
  readonly #keys: Keys;
  readonly #openHash: () => PartSink;

  constructor(bucket: Bucket, keys: Keys, openHash: () => PartSink) {
    this.#bucket = bucket;
    this.#keys = keys;
    this.#openHash = openHash;
  }

  fileIdOf(uploadId: string): string {
    return uploadId;
  }

  async create(upload: StagedUpload): Promise<string | null> {
    // A multipart upload has one part at least; the empty object is made when it is assembled.
    return upload.sizeBytes === 0 ? null : await this.#bucket.createMultipart(this.#keys.ofUpload(upload));
  }

  async renew(upload: StagedUpload): Promise<string | null> {
    const { ref } = upload;
    if (ref !== null && (await listParts(this.#bucket, this.#keys.ofUpload(upload), ref)) !== null) return ref;
    return await this.create(upload);
  }

  async openSink(upload: StagedUpload, extent: Extent, sha256: Uint8Array | null): Promise<PartSink | 'lost'> {
    const { ref } = upload;
    if (ref === null) return 'lost';
    await this.#bucket.throttle.wait();
    const key = this.#keys.ofUpload(upload);
    const number = extent.offset / upload.partSizeBytes + 1;
    return new S3PartSink(
      (part, signal) => this.#bucket.uploadPart(key, ref, number, part, signal),
      this.#openHash(),
      extent.length,
      sha256,
    );
  }

  async findLost(upload: StagedUpload, parts: readonly StoredPart[]): Promise<number[]> {
    if (parts.length === 0) return [];
    const listed = upload.ref && (await listParts(this.#bucket, this.#keys.ofUpload(upload), upload.ref));
    return reconcile(upload, parts, listed || []).lost;
  }

  async assemble(upload: StagedUpload, file: FilePlace, parts: readonly StoredPart[]): Promise<void> {
    const key = this.#keys.ofUpload(upload);
    if (file.sizeBytes === 0) return void (await this.#bucket.putNew(key, new Uint8Array()));
    if (!upload.ref) return await this.#assertWhole(key, file, parts);
    const listed = await listParts(this.#bucket, key, upload.ref);
    const { lost, found } = reconcile(upload, parts, listed ?? []);
    // A list may be older than the parts: the service knows them by the receipts that it gave, or refuses the whole.
    const unlisted = toUnlisted(parts, lost);
    const gone = `${lost.length} of ${parts.length} parts are not in the storage.`;
    if (!unlisted) throw new BytesGone(gone);
    const outcome = await this.#bucket.complete(key, upload.ref, inOrder([...found, ...unlisted]));
    if (outcome === 'busy') {
      const message = 'Another request is making one object of the parts of this upload.';
      throw new UploadError('storage_unavailable', message, { retryAfterSeconds: BUSY_SECONDS });
    }
    if (outcome === 'wrong_part') {
      throw new BytesGone(lost.length > 0 ? gone : 'The object storage does not take the parts that it lists.');
    }
    if (typeof outcome === 'object' && (await this.#bucket.head(key)) === null) throw explainS3(outcome.unknown);
    await this.#assertWhole(key, file, parts);
    // Another server made the object of the same parts.
    if (outcome === 'exists') await this.#bucket.abort(key, upload.ref);
  }

  async digest(upload: StagedUpload, file: FilePlace, unverified: PartSelection | null = null): Promise<WholeDigest> {
    return await digestObject(this.#bucket, this.#keys.ofUpload(upload), file.sizeBytes, unverified, this.#openHash);
  }

  async publish(upload: StagedUpload, file: FilePlace): Promise<void> {
    const head = await this.#bucket.head(this.#keys.ofUpload(upload));
    if (head?.sizeBytes === file.sizeBytes) return;
    throw new BytesGone(`The object has ${head?.sizeBytes ?? 'none'} of ${file.sizeBytes} bytes.`, { isAbsent: !head });
  }

  async publishCopy(_upload: StagedUpload, source: FilePlace, file: FilePlace): Promise<void> {
    const [from, to] = [this.#keys.ofFile(source), this.#keys.ofFile(file)];
    if ((await this.#bucket.head(to))?.sizeBytes === file.sizeBytes) return;
    await copyObject(this.#bucket, from, to, file.sizeBytes);
  }

  async withdraw(upload: StagedUpload): Promise<'staged' | 'lost'> {
    const key = this.#keys.ofUpload(upload);
    const head = await this.#bucket.head(key);
    if (head === null) return 'staged';
    // Another server may make the right object meanwhile: that one stays.
    await this.#bucket.removeExactly(key, head.etag);
    return 'lost';
  }

  async discard(upload: StagedName): Promise<void> {
    if (upload.ref !== null) await this.#bucket.abort(this.#keys.ofUpload(upload), upload.ref);
  }

  async list(): Promise<FoundStaged[]> {
    const staged: FoundStaged[] = [];
    const { files } = this.#keys;
    for await (const { key, id: ref, createdAtMs } of listMultiparts(this.#bucket, files)) {
      const found = this.#keys.parse(files, key);
      if (found) staged.push({ id: found.id, filename: found.name, ref, createdAtMs });
    }
    return staged;
  }

  /** @throws BytesGone when there is no object, or not the one that the parts make. */
  async #assertWhole(key: string, { sizeBytes }: FilePlace, parts: readonly StoredPart[]): Promise<void> {
    const head = await this.#bucket.head(key);
    if (!head) throw new BytesGone('The parts of this upload are not in the storage.', { isAbsent: true });
    const isOfDigests = head.checksum === null || !head.checksum.includes('-') || head.checksum === digestOf(parts);
    if (head.sizeBytes === sizeBytes && isOfDigests) return;
    throw new BytesGone(`The object that was made of the parts is another one (${head.sizeBytes} bytes).`);
  }
}

/**
 * Finds each recorded part among those that are listed: by its receipt, or by its digest where the service lists that. A size
 * proves nothing, but another size is another part.
 */
function reconcile(
  { sizeBytes, partSizeBytes }: Pick<StagedUpload, 'sizeBytes' | 'partSizeBytes'>,
  parts: readonly StoredPart[],
  listed: readonly ListedPart[],
): { lost: number[]; found: NumberedAnswer[] } {
  const entries = Map.groupBy(listed, ({ number }) => number);
  const lost: number[] = [];
  const found: NumberedAnswer[] = [];
  for (const { idx, sha256, receipt } of parts) {
    const checksum = Buffer.from(sha256).toString('base64');
    const { length } = partExtent(sizeBytes, partSizeBytes, idx);
    const entry = entries
      .get(idx + 1)
      ?.find(
        (each) => each.sizeBytes === length && (each.checksum ? each.checksum === checksum : each.etag === receipt),
      );
    if (entry) found.push({ number: idx + 1, etag: entry.etag, checksum });
    else lost.push(idx);
  }
  return { lost, found };
}

/** @returns the parts that were not listed, as they were recorded; null when one of them has no receipt. */
function toUnlisted(parts: readonly StoredPart[], lost: readonly number[]): NumberedAnswer[] | null {
  const isLost = new Set(lost);
  const unlisted: NumberedAnswer[] = [];
  for (const { idx, sha256, receipt } of parts) {
    if (!isLost.has(idx)) continue;
    if (receipt === null) return null;
    unlisted.push({ number: idx + 1, etag: receipt, checksum: Buffer.from(sha256).toString('base64') });
  }
  return unlisted;
}

function inOrder(parts: NumberedAnswer[]): NumberedAnswer[] {
  return parts.sort((a, b) => a.number - b.number);
}

/** As services give the SHA-256 of an object that was made of parts. */
function digestOf(parts: readonly StoredPart[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(sha256);
  return `${hash.digest('base64')}-${parts.length}`;
}
