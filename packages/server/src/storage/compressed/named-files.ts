/** What `CompressedFiles` needs of a storage: files under exact names. */
import type { FileStorage } from '../file-storage.ts';
import type { FilePlace } from '../places.ts';

export interface NamedFiles extends FileStorage {
  /**
   * Stores bytes beside others of a published file: whole or not at all, also after a power loss. When the name is taken,
   * what is there stays.
   *
   * @param at its size is not used. @param mostBytes there are no more.
   * @throws BytesGone when the file was removed, UploadError, and the errors of `bytes`.
   */
  writeBeside(at: FilePlace, bytes: AsyncIterable<Buffer>, mostBytes: number): Promise<void>;
  /** Removes one name of a file, permanently. Safe to repeat. */
  removeName(at: FilePlace): Promise<void>;
}
