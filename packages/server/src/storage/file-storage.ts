/** Where published files are stored. */
import type { Readable } from 'node:stream';
import type { FilePlace } from './places.ts';

export interface FileStorage {
  /** Opens the bytes `start` to `end` (inclusive); null when they are not there. */
  read(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null>;
  /** Size in bytes; null when the file is not there. @throws UploadError when that cannot be found out now. */
  stat(file: FilePlace): Promise<number | null>;
  /**
   * Plain SHA-256 of a file as it is stored, 32 bytes. It is read anew, and after everything that is more urgent.
   *
   * @param pace waited for before so many bytes are read; when it rejects, so does this.
   * @throws BytesGone, or UploadError when the file cannot be read now.
   */
  digest(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array>;
  /** Removes a file; on return it is gone for good, also after a power loss. Safe to repeat. */
  remove(fileId: string): Promise<void>;
  /** Ids of all stored files. */
  list(): Promise<string[]>;
  /** URL of a file: for a job on the same storage, and for `openByteSource`. */
  locate(file: FilePlace): string;
}
