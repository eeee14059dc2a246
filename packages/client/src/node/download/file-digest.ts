/** Compares the bytes of a downloaded file with its record. */
import { createHash } from 'node:crypto';
import type { FileRecord } from '@cryolift/protocol/messages';
import { SourceError } from '../../failures.ts';

/** The digest that a record has: the plain one, or that of the parts as long as the server has not read the whole. */
export function digestOf({ sha256, parts_sha256 }: Pick<FileRecord, 'sha256' | 'parts_sha256'>): string {
  return sha256 ?? parts_sha256;
}

export class FileDigest {
  readonly #file: Pick<FileRecord, 'sha256' | 'parts_sha256' | 'part_size'>;
  /** Of the file, or of the part that is being read. */
  #hash = createHash('sha256');
  /** Of the digests of the parts, where the record has no plain one. */
  readonly #parts = createHash('sha256');
  #partBytes = 0;

  constructor(file: Pick<FileRecord, 'sha256' | 'parts_sha256' | 'part_size'>) {
    this.#file = file;
  }

  /** The next bytes of the file. */
  update(bytes: Uint8Array): void {
    if (this.#file.sha256 !== null) {
      this.#hash.update(bytes);
      return;
    }
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + this.#file.part_size - this.#partBytes);
      this.#hash.update(bytes.subarray(from, to));
      this.#partBytes += to - from;
      from = to;
      if (this.#partBytes === this.#file.part_size) this.#endPart();
    }
  }

  /** @returns the digest of all bytes, to be compared with `digestOf`. */
  end(): string {
    if (this.#file.sha256 !== null) return this.#hash.digest('hex');
    if (this.#partBytes > 0) this.#endPart();
    return this.#parts.digest('hex');
  }

  /** As `end`. @throws SourceError `integrity` unless the digest is that of the record. */
  assertWhole(): void {
    const found = this.end();
    const expected = digestOf(this.#file);
    if (found === expected) return;
    const what = this.#file.sha256 === null ? 'SHA-256 of the parts' : 'SHA-256';
    throw new SourceError(
      'integrity',
      `The downloaded bytes have the ${what} ${found}, not ${expected}.`,
      'Download it again; if this happens again, contact the administrator of the server.',
    );
  }

  #endPart(): void {
    this.#parts.update(this.#hash.digest());
    this.#hash = createHash('sha256');
    this.#partBytes = 0;
  }
}
