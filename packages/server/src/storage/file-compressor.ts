/** An ability of storages that can keep published files compressed. Their `files` read them as the original. */
import type { FilePlace } from './places.ts';

/** What is stored: zstd frames (RFC 8878) with a seek table. */
export interface CompressedBytes {
  readonly sizeBytes: number;
  /** Of the stored bytes, 32 bytes. */
  readonly sha256: Uint8Array;
}

export interface FileCompressor {
  /**
   * Stores a file compressed beside its own bytes, and reads it back: decoded, it has this digest. Safe to repeat after a
   * crash, and for two servers at once. Reads and compresses with low priority.
   *
   * @param sha256 of the original, 32 bytes.
   * @returns null: it would not be much smaller.
   * @throws BytesDamaged when what was read back is not the original; BytesGone when the file was removed meanwhile;
   *   UploadError; the reason of `signal`.
   */
  compress(file: FilePlace, sha256: Uint8Array, signal: AbortSignal): Promise<CompressedBytes | null>;
  /**
   * Removes the original of a file that `compress` has stored, permanently. Safe to repeat.
   *
   * @throws BytesDamaged when the compressed bytes are not there in full; the original stays then.
   */
  removeOriginal(file: FilePlace, compressed: CompressedBytes): Promise<void>;
}
