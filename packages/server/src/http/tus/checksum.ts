/** `Upload-Checksum` of tus 1.0: the checksum of one body, in a header or in a trailer. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { UploadError } from '@cryolift/protocol/errors';
import type { BodyChecksum } from '../../uploads/append/body-checksum.ts';

/** In `Tus-Checksum-Algorithm`. */
export const ALGORITHMS = ['sha1', 'md5', 'sha256', 'crc32'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const LENGTHS: Readonly<Record<Algorithm, number>> = { sha1: 20, md5: 16, sha256: 32, crc32: 4 };
const CHECKSUM = /^([!-+\--~]+) ([A-Za-z0-9+/]*={0,2})$/;

interface Running {
  update(bytes: Buffer): void;
  digest(): Buffer;
}

/** @throws UploadError `invalid_request` for an unknown algorithm, or a digest that is not one of it. */
export function checksumOf(header: string): BodyChecksum {
  const { algorithm, digest } = parseChecksum(header);
  const running = begin(algorithm);
  return { update: (bytes) => running.update(bytes), matches: () => running.digest().equals(digest) };
}

/**
 * A checksum that arrives after the body. Which algorithm it is for is not known before, so all of them are computed.
 */
export class TrailerChecksum implements BodyChecksum {
  readonly #running = ALGORITHMS.map((algorithm) => ({ algorithm, running: begin(algorithm) }));
  readonly #readTrailer: () => string | undefined;
  /** Why the trailer could not be compared, once `matches` was called. */
  fault: UploadError | null = null;

  /** @param readTrailer the value of the trailer, asked for after the whole body. */
  constructor(readTrailer: () => string | undefined) {
    this.#readTrailer = readTrailer;
  }

  update(bytes: Buffer): void {
    for (const { running } of this.#running) running.update(bytes);
  }

  matches(): boolean {
    try {
      const trailer = this.#readTrailer();
      if (trailer === undefined)
        throw new UploadError('invalid_request', 'The trailer Upload-Checksum did not arrive.');
      const { algorithm, digest } = parseChecksum(trailer);
      return this.#running.some((each) => each.algorithm === algorithm && each.running.digest().equals(digest));
    } catch (error) {
      if (!(error instanceof UploadError)) throw error;
      this.fault = error;
      return false;
    }
  }
}

function parseChecksum(value: string): { algorithm: Algorithm; digest: Buffer } {
  const [, name = '', base64 = ''] = CHECKSUM.exec(value.trim()) ?? [];
  const algorithm = ALGORITHMS.find((each) => each === name);
  if (name !== '' && algorithm === undefined) {
    throw new UploadError('invalid_request', `Upload-Checksum: ${name.slice(0, 64)} is not supported.`, {
      hint: `Send one of ${ALGORITHMS.join(', ')}.`,
    });
  }
  const digest = Buffer.from(base64, 'base64');
  if (algorithm === undefined || digest.length !== LENGTHS[algorithm] || digest.toString('base64') !== base64) {
    throw new UploadError('invalid_request', 'Upload-Checksum is not an algorithm, a space and a digest in base64.');
  }
  return { algorithm, digest };
}

function begin(algorithm: Algorithm): Running {
  if (algorithm === 'crc32') return new Crc32();
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** The CRC of zlib; its digest is the four bytes, the highest first. */
class Crc32 implements Running {
  #value = 0;

  update(bytes: Buffer): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): Buffer {
    const digest = Buffer.alloc(4);
    digest.writeUInt32BE(this.#value);
    return digest;
  }
}
