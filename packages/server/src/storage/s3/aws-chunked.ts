/**
 * The transfer encoding `aws-chunked` with a trailing checksum (STREAMING-UNSIGNED-PAYLOAD-TRAILER): for a body whose digest
 * is known only at its end. Its length is known before, which some services require.
 */
const CHUNK_BYTES = 256 * 1024;
const CRLF = Buffer.from('\r\n');
const TRAILER = 'x-amz-checksum-sha256';
/** Base64 of 32 bytes. */
const CHECKSUM_LENGTH = 44;

function headOf(bytes: number): Buffer {
  return Buffer.from(`${bytes.toString(16)}\r\n`);
}

function trailerOf(checksum: string): Buffer {
  return Buffer.from(`0\r\n${TRAILER}:${checksum}\r\n\r\n`);
}

export class AwsChunked {
  readonly #lengthBytes: number;
  /** Of the body. */
  #at = 0;

  /** @param lengthBytes of the body before it is encoded. */
  constructor(lengthBytes: number) {
    this.#lengthBytes = lengthBytes;
  }

  get encodedBytes(): number {
    const last = this.#lengthBytes % CHUNK_BYTES;
    const whole = (this.#lengthBytes - last) / CHUNK_BYTES;
    const sizeOf = (chunk: number) => (chunk === 0 ? 0 : headOf(chunk).length + chunk + CRLF.length);
    return whole * sizeOf(CHUNK_BYTES) + sizeOf(last) + trailerOf('='.repeat(CHECKSUM_LENGTH)).length;
  }

  /** As the encoding has them; the checksum is signed as part of none of them. */
  get headers(): Record<string, string> {
    return {
      'content-encoding': 'aws-chunked',
      'content-length': String(this.encodedBytes),
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(this.#lengthBytes),
      'x-amz-sdk-checksum-algorithm': 'SHA256',
      'x-amz-trailer': TRAILER,
    };
  }

  /** The next bytes of the body, of any length, and what stands around them. */
  encode(bytes: Buffer): Buffer[] {
    const encoded: Buffer[] = [];
    for (let from = 0; from < bytes.length; ) {
      const chunk = Math.floor(this.#at / CHUNK_BYTES) * CHUNK_BYTES;
      const end = Math.min(chunk + CHUNK_BYTES, this.#lengthBytes);
      if (this.#at === chunk) encoded.push(headOf(end - chunk));
      const taken = bytes.subarray(from, from + end - this.#at);
      encoded.push(taken);
      this.#at += taken.length;
      from += taken.length;
      if (this.#at === end) encoded.push(CRLF);
    }
    return encoded;
  }

  /** @param checksum SHA-256 of the body, base64. */
  end(checksum: string): Buffer {
    return trailerOf(checksum);
  }
}
