/**
 * A part that streams through to a multipart upload: nothing of it touches a disk. Its last piece is held back until its
 * digest is known, so that a body with other bytes than declared is never whole for the service, whatever the service checks.
 */
import { createHash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import type { CommittedPart, PartSink } from '../upload-storage.ts';
import { AwsChunked } from './aws-chunked.ts';
import { BLOCK_BYTES, giveBlock, takeBlock } from './blocks.ts';
import type { PartAnswer, PartUpload } from './bucket.ts';
import { PartBody } from './part-body.ts';

/** Pieces are gathered for so long, so that few large ones are sent; a slow client must not make the request fall silent. */
const GATHER_MS = 1_000;

/** What an attempt fails with that was given up. */
const GIVEN_UP = 'This part was given up.';

/** Begins the request. @throws UploadError. */
type Send = (part: PartUpload, signal: AbortSignal) => Promise<PartAnswer>;

export class S3PartSink implements PartSink {
  readonly #send: Send;
  readonly #lengthBytes: number;
  readonly #declared: Uint8Array | null;
  /** Hashes off the main thread. */
  readonly #hash: PartSink;
  /** Where no digest was declared: some services answer with no checksum, and their ETag is the MD5 of the part. */
  readonly #md5 = createHash('md5');
  readonly #encoding: AwsChunked | null;
  readonly #body = new PartBody();
  readonly #stop = new AbortController();
  /** What is held back: the first bytes of a block. */
  #block: Buffer | null = null;
  #held = 0;
  #sentMs = performance.now();
  #answer: Promise<PartAnswer> | null = null;
  #error: unknown = null;
  #committed: Promise<CommittedPart> | null = null;

  /** @param hash a sink that only hashes. @param declared the digest that the client announced, 32 bytes. */
  constructor(send: Send, hash: PartSink, lengthBytes: number, declared: Uint8Array | null) {
    this.#send = send;
    this.#hash = hash;
    this.#lengthBytes = lengthBytes;
    this.#declared = declared;
    this.#encoding = declared ? null : new AwsChunked(lengthBytes);
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#assertOpen();
    this.#answer ??= this.#begin();
    const hashed = this.#hash.write(bytes);
    if (!this.#declared) this.#md5.update(bytes);
    const sent = this.#gather(bytes);
    if (!hashed && !sent) return undefined;
    return Promise.all([hashed, sent]).then(() => this.#assertOpen());
  }

  async commit(): Promise<CommittedPart> {
    this.#committed ??= this.#finish();
    return await this.#committed;
  }

  async abort(): Promise<void> {
    if (!this.#committed) this.#error ??= new UploadError('storage_unavailable', GIVEN_UP);
    this.#stop.abort();
    await this.#hash.abort();
    await this.#answer?.catch(() => {});
  }

  /** Copies the bytes, because the caller reuses its buffer at once, and sends what was held before when it is enough. */
  #gather(bytes: Buffer): Promise<void> | undefined {
    let sent: Promise<void> | undefined;
    for (let at = 0; at < bytes.length; ) {
      const isDue = performance.now() - this.#sentMs >= GATHER_MS;
      if (this.#block && (this.#held === BLOCK_BYTES || isDue)) sent = this.#sendHeld(this.#block) ?? sent;
      this.#block ??= takeBlock();
      const copied = bytes.copy(this.#block, this.#held, at);
      this.#held += copied;
      at += copied;
    }
    return sent;
  }

  #sendHeld(block: Buffer): Promise<void> | undefined {
    const held = block.subarray(0, this.#held);
    this.#block = null;
    this.#held = 0;
    this.#sentMs = performance.now();
    return this.#body.write(this.#encode(held), () => giveBlock(block));
  }

  #begin(): Promise<PartAnswer> {
    const lengthBytes = this.#encoding ? this.#encoding.encodedBytes : this.#lengthBytes;
    const part = { body: this.#body, lengthBytes, sha256: this.#declared, headers: this.#encoding?.headers ?? {} };
    const answer = this.#send(part, this.#stop.signal);
    answer.catch((error: unknown) => {
      this.#error ??= error;
      this.#body.destroy();
    });
    return answer;
  }

  async #finish(): Promise<CommittedPart> {
    this.#assertOpen();
    const { sha256 } = await this.#hash.commit();
    if (this.#declared && Buffer.compare(sha256, this.#declared) !== 0) {
      this.#stop.abort();
      await this.#answer?.catch(() => {});
      return { sha256, receipt: null };
    }
    this.#answer ??= this.#begin();
    const checksum = Buffer.from(sha256).toString('base64');
    const rest = this.#block ? this.#encode(this.#block.subarray(0, this.#held)) : [];
    this.#block = null;
    this.#body.end(this.#encoding ? [...rest, this.#encoding.end(checksum)] : rest);
    const answer = await this.#answer;
    this.#assertStored(answer, checksum);
    return { sha256, receipt: answer.etag };
  }

  /** A part counts only by what the answer to its own request says. @throws UploadError. */
  #assertStored({ etag, checksum }: PartAnswer, expected: string): void {
    const isKnown =
      checksum === expected || (checksum === null && (this.#declared || etag === this.#md5.digest('hex')));
    if (isKnown) return;
    throw new UploadError('storage_unavailable', 'The object storage has stored other bytes than it was sent.');
  }

  #encode(bytes: Buffer): Buffer[] {
    return this.#encoding ? this.#encoding.encode(bytes) : [bytes];
  }

  #assertOpen(): void {
    if (this.#error) throw this.#error;
  }
}
