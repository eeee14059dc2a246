/** The digests of a file by which it was published. */
import { createHash } from 'node:crypto';
import type { FileRow } from '../db/tables.ts';

/** Takes the bytes of a file in their order. */
export class FileDigest {
  readonly #row: FileRow;
  readonly #whole = createHash('sha256');
  /** Over the digests of the parts; needed only where the digest of the whole is not known. */
  readonly #parts = createHash('sha256');
  #part = createHash('sha256');
  #partBytes = 0;

  constructor(row: FileRow) {
    this.#row = row;
  }

  update(chunk: Buffer): void {
    this.#whole.update(chunk);
    if (this.#row.sha256 !== null) return;
    for (let from = 0; from < chunk.length; ) {
      const piece = chunk.subarray(from, from + this.#row.part_size - this.#partBytes);
      this.#part.update(piece);
      this.#partBytes += piece.length;
      from += piece.length;
      if (this.#partBytes === this.#row.part_size) this.#endPart();
    }
  }

  /** @returns the plain SHA-256 of the whole; null: these are other bytes than were published. */
  finish(): Uint8Array | null {
    const whole = this.#whole.digest();
    if (this.#row.sha256 !== null) return whole.equals(this.#row.sha256) ? whole : null;
    if (this.#partBytes > 0) this.#endPart();
    return this.#parts.digest().equals(this.#row.parts_sha256) ? whole : null;
  }

  #endPart(): void {
    this.#parts.update(this.#part.digest());
    this.#part = createHash('sha256');
    this.#partBytes = 0;
  }
}
