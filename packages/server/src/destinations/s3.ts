/** A folder in a bucket of an S3-compatible service. */
import { createHash } from 'node:crypto';
import type { S3Target } from '../config/destinations.ts';
import { betweenSteps } from '../durable-step.ts';
import { Bucket, type ListedPart } from '../storage/s3/bucket.ts';
import { listParts } from '../storage/s3/multiparts.ts';
import { readObject } from '../storage/s3/object-stream.ts';
import { PartBody } from '../storage/s3/part-body.ts';
import { digestOf, type OutgoingFile, PushRefused, readWhole, type SavedProgress } from './delivery.ts';
import type { RemoteFolder } from './folder.ts';

/** Parts of a file that is larger than one. Each is held in memory while it is sent. */
const PART_BYTES = 16 * 1024 * 1024;
const MAX_PARTS = 10_000;

interface Multipart {
  readonly id: string;
  readonly partBytes: number;
  /** The service has answered with the checksum of a part, and wants it again; not always does it list them. */
  readonly hasChecksums: boolean;
}

type SentPart = { readonly number: number; readonly etag: string; readonly checksum: string | null };

export class S3Folder implements RemoteFolder {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #partBytes: number;

  /** @param partBytes of tests: smaller. */
  constructor(target: S3Target, partBytes = PART_BYTES) {
    this.#bucket = new Bucket(target);
    this.#prefix = target.prefix === '' ? '' : `${target.prefix}/`;
    this.#partBytes = partBytes;
  }

  async stat(path: string): Promise<number | null> {
    return (await this.#bucket.head(this.#keyOf(path)))?.sizeBytes ?? null;
  }

  async digest(path: string, signal: AbortSignal): Promise<string> {
    const key = this.#keyOf(path);
    const head = await this.#bucket.head(key);
    if (!head) throw new Error('the object is not there any more');
    return await digestOf(readObject(this.#bucket, key, head.sizeBytes), signal);
  }

  async put(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    if (file.sizeBytes > this.#partBytes) return await this.#putParts(path, file, progress, signal);
    const bytes = await readWhole(file, 0, file.sizeBytes);
    assertSource(file, createHash('sha256').update(bytes).digest('hex'));
    if (!(await this.#bucket.putNew(this.#keyOf(path), bytes))) throw isThere(path);
    await this.#verify(path, file, null, signal);
  }

  async discard(path: string, progress: string | null): Promise<void> {
    if (progress !== null) await this.#bucket.abort(this.#keyOf(path), (JSON.parse(progress) as Multipart).id);
  }

  async close(): Promise<void> {
    this.#bucket.close();
  }

  #keyOf(path: string): string {
    return `${this.#prefix}${path}`;
  }

  async #putParts(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    const key = this.#keyOf(path);
    const multipart = await this.#openMultipart(key, file, progress);
    const { id, partBytes, listed } = multipart;
    let { hasChecksums } = multipart;
    const parts: SentPart[] = [];
    const [whole, ofParts] = [createHash('sha256'), createHash('sha256')];
    for (let start = 0; start < file.sizeBytes; start += partBytes) {
      signal.throwIfAborted();
      const bytes = await readWhole(file, start, Math.min(partBytes, file.sizeBytes - start));
      whole.update(bytes);
      const sha256 = createHash('sha256').update(bytes).digest();
      ofParts.update(sha256);
      const number = parts.length + 1;
      const there = listed.find((part) => part.number === number && isSame(part, bytes, sha256));
      const part = there ?? { number, ...(await this.#sendPart(key, id, number, bytes, sha256, signal)) };
      if (part.checksum !== null && !hasChecksums) {
        hasChecksums = true;
        await progress.save(JSON.stringify({ id, partBytes, hasChecksums } satisfies Multipart));
      }
      parts.push({ number, etag: part.etag, checksum: hasChecksums ? sha256.toString('base64') : null });
      betweenSteps('push.part-sent');
    }
    assertSource(file, whole.digest('hex'));
    const outcome = await this.#bucket.complete(key, id, parts);
    if (outcome === 'exists') throw isThere(path);
    if (outcome === 'absent' || outcome === 'wrong_part') await progress.save(null);
    if (outcome !== 'completed') throw new Error('the bucket has not made the object of its parts');
    await this.#verify(path, file, `${ofParts.digest('base64')}-${parts.length}`, signal);
  }

  /** Goes on with the multipart upload of an earlier attempt, where it is still there. */
  async #openMultipart(
    key: string,
    { sizeBytes }: OutgoingFile,
    progress: SavedProgress,
  ): Promise<Multipart & { listed: ListedPart[] }> {
    const saved = await progress.read();
    if (saved !== null) {
      const multipart = JSON.parse(saved) as Multipart;
      const listed = await listParts(this.#bucket, key, multipart.id);
      if (listed) return { ...multipart, listed };
    }
    const partBytes = Math.max(this.#partBytes, Math.ceil(sizeBytes / MAX_PARTS));
    const multipart = { id: await this.#bucket.createMultipart(key), partBytes, hasChecksums: false };
    await progress.save(JSON.stringify(multipart));
    return { ...multipart, listed: [] };
  }

  async #sendPart(
    key: string,
    id: string,
    number: number,
    bytes: Buffer,
    sha256: Buffer,
    signal: AbortSignal,
  ): Promise<Pick<SentPart, 'etag' | 'checksum'>> {
    const body = new PartBody();
    body.end([bytes]);
    return await this.#bucket.uploadPart(
      key,
      id,
      number,
      { body, lengthBytes: bytes.length, sha256, headers: {} },
      signal,
    );
  }

  /** @param checksum what the service says of the whole when it checks parts; null: it is read back. */
  async #verify(path: string, file: OutgoingFile, checksum: string | null, signal: AbortSignal): Promise<void> {
    const head = await this.#bucket.head(this.#keyOf(path));
    if (checksum !== null && head?.checksum === checksum && head.sizeBytes === file.sizeBytes) return;
    if ((await this.digest(path, signal)) === file.sha256) return;
    await this.#bucket.removeExactly(this.#keyOf(path), head?.etag ?? '');
    throw new Error('the bucket has other bytes than those that were sent');
  }
}

/** By the SHA-256 where the service has it, otherwise by the ETag that most services make of a part: its MD5. */
function isSame({ sizeBytes, checksum, etag }: ListedPart, bytes: Buffer, sha256: Buffer): boolean {
  if (sizeBytes !== bytes.length) return false;
  if (checksum !== null) return checksum === sha256.toString('base64');
  return etag === createHash('md5').update(bytes).digest('hex');
}

function assertSource({ path, sha256 }: OutgoingFile, found: string): void {
  if (found !== sha256)
    throw new PushRefused(`The bytes of ${path} in the storage of this server differ from its record.`);
}

function isThere(path: string): Error {
  // It may be ours: the next attempt compares it.
  return new Error(`a file has appeared at ${path}`);
}
