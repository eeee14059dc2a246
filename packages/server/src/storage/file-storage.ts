/** Where published files are stored. */
import type { Readable } from 'node:stream';
import type { FilePlace } from './places.ts';

export interface FileStorage {
  /** Opens the bytes `start` to `end` (inclusive); null when they are missing. */
  read(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null>;
  /** Size in bytes; null when the file does not exist. @throws UploadError when this cannot be determined now. */
  stat(file: FilePlace): Promise<number | null>;
  /**
   * Plain SHA-256 of the stored bytes of a file, 32 bytes. Reads the file with low priority.
   *
   * @param pace awaited before this number of bytes is read; its rejection ends the digest.
   * @throws BytesGone, or UploadError when the file cannot be read now.
   */
  digest(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array>;
  /** Removes a file permanently, also after a power loss. Safe to repeat. */
  remove(fileId: string): Promise<void>;
  /** Ids of all stored files. */
  list(): Promise<string[]>;
  /** URL that names a file: for a job on the same storage, and for records. */
  locate(file: FilePlace): string;
  /**
   * URL that `openByteSource` reads a file by, without any secrets of this process but what the URL itself holds. It may
   * end working after some hours.
   */
  sourceUrl(file: FilePlace): Promise<string>;
}
