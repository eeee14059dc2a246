/** Decodes the body of a part that is sent with `Content-Encoding: zstd` (RFC 8878, RFC 9659). */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { constants, createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { UploadError } from '@cryolift/protocol/errors';
import type { BodyReceiver } from '../../uploads/body-receiver.ts';

/** The one content coding that parts may have. */
export const ZSTD = 'zstd';
/** At once: each may need a window of 8 MiB. */
const MAX_DECODERS = 32;
/** The largest window of this content coding: 8 MiB (RFC 9659 section 3). */
const MAX_WINDOW_LOG = 23;
const CHUNK_BYTES = 128 * 1024;
const WINDOW_TOO_LARGE = 'ZSTD_error_frameParameter_windowTooLarge';

let decoders = 0;

export interface CodedBody<Result> {
  /** Takes the decoded bytes. */
  readonly receiver: BodyReceiver<Result>;
  /** Of the decoded part, bytes: no other length is accepted, and nothing is decoded beyond it. */
  readonly lengthBytes: number;
  /** SHA-256 of the body as it is sent, or of the decoded part; null: the client has not declared one. */
  readonly sha256: Uint8Array | null;
}

/**
 * Passes the decoded bytes on. Threads of the system decode; the memory for one body is its window, 8 MiB at most, and
 * two blocks.
 *
 * `write` and `commit` throw UploadError `part_checksum_mismatch` for a body that cannot be decoded or has another
 * digest, `part_size_mismatch` for another length, `invalid_request` for a larger window, and what the receiver throws.
 */
export class ZstdReceiver<Result> implements BodyReceiver<Result> {
  readonly #body: CodedBody<Result>;
  readonly #decoder: ZstdDecompress;
  readonly #digests: { readonly coded: Hash; readonly decoded: Hash } | null;
  /** Ends when the decoder has ended and the receiver has taken all. */
  readonly #decoded: Promise<void>;
  #onStop: ((error: unknown) => void) | null = null;
  #codedBytes = 0;
  #decodedBytes = 0;
  #isReleased = false;

  /** @throws UploadError `overloaded` when too many bodies are being decoded. */
  constructor(body: CodedBody<Result>) {
    if (decoders >= MAX_DECODERS) {
      throw new UploadError('overloaded', `${MAX_DECODERS} compressed parts are being received already.`);
    }
    decoders++;
    this.#body = body;
    this.#digests = body.sha256 ? { coded: createHash('sha256'), decoded: createHash('sha256') } : null;
    this.#decoder = createZstdDecompress({
      chunkSize: CHUNK_BYTES,
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
    this.#decoded = this.#passOn();
    this.#decoded.catch((error: unknown) => this.#onStop?.(error));
  }

  set onStop(stop: ((error: unknown) => void) | null) {
    this.#onStop = stop;
    this.#body.receiver.onStop = stop;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#codedBytes += bytes.length;
    if (this.#codedBytes > mostCodedBytes(this.#body.lengthBytes)) {
      throw new UploadError(
        'part_too_large',
        `${this.#codedBytes} bytes and more are sent for ${this.#body.lengthBytes}.`,
      );
    }
    this.#digests?.coded.update(bytes);
    // The caller reuses the buffer.
    if (this.#decoder.write(Buffer.from(bytes))) return undefined;
    return Promise.race([once(this.#decoder, 'drain').then(() => {}), this.#decoded]);
  }

  async commit(): Promise<Result> {
    try {
      this.#decoder.end();
      await this.#decoded;
      this.#assertWhole();
    } catch (error) {
      await this.abort();
      throw error;
    }
    this.#release();
    return await this.#body.receiver.commit();
  }

  async abort(): Promise<void> {
    this.#decoder.destroy();
    this.#release();
    await this.#decoded.catch(() => {});
    await this.#body.receiver.abort();
  }

  async #passOn(): Promise<void> {
    const { receiver, lengthBytes } = this.#body;
    try {
      for await (const bytes of this.#decoder as AsyncIterable<Buffer>) {
        this.#decodedBytes += bytes.length;
        if (this.#decodedBytes > lengthBytes) throw otherLength(`more than ${lengthBytes}`, lengthBytes);
        this.#digests?.decoded.update(bytes);
        await receiver.write(bytes);
      }
    } catch (error) {
      throw explain(error);
    }
  }

  #assertWhole(): void {
    const { lengthBytes, sha256 } = this.#body;
    if (this.#decodedBytes !== lengthBytes) throw otherLength(String(this.#decodedBytes), lengthBytes);
    // The decoder ignores what follows the last frame.
    if (this.#decoder.bytesWritten !== this.#codedBytes) throw damaged('Bytes that are no zstd frame follow the part.');
    if (!this.#digests || !sha256) return;
    const { coded, decoded } = this.#digests;
    const isRight = [coded, decoded].some((hash) => Buffer.compare(hash.digest(), sha256) === 0);
    if (!isRight) throw damaged('The body has another SHA-256 than Content-Digest says.');
  }

  #release(): void {
    if (!this.#isReleased) decoders--;
    this.#isReleased = true;
  }
}

/** What zstd makes of bytes that it cannot compress, and as much again for small frames. */
function mostCodedBytes(lengthBytes: number): number {
  return lengthBytes + Math.ceil(lengthBytes / 64) + 4096;
}

function otherLength(decoded: string, lengthBytes: number): UploadError {
  return new UploadError('part_size_mismatch', `The body decodes to ${decoded} bytes; the part has ${lengthBytes}.`);
}

function damaged(message: string): UploadError {
  return new UploadError('part_checksum_mismatch', message);
}

function explain(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof UploadError || code === undefined) return error;
  if (code === WINDOW_TOO_LARGE) {
    return new UploadError('invalid_request', 'The zstd frame needs a window of more than 8 MiB.', {
      hint: 'Compress with a window log of 23 or less (RFC 9659).',
    });
  }
  if (code.startsWith('ZSTD_error_') || code === 'Z_BUF_ERROR') return damaged('The body is not whole zstd frames.');
  return error;
}
