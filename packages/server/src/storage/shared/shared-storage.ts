/**
 * The storage in a folder of a file system that several servers mount. The files and folders are those of the storage on
 * a local disk; what is different is that nothing is decided by the memory of one process.
 */
import { DiskFiles } from '../disk/disk-files.ts';
import { type DiskCalls, SYSTEM_CALLS } from '../disk/file-system.ts';
import { FolderStorage } from '../disk/folder-storage.ts';
import type { DiskLayout } from '../disk/layout.ts';
import type { Digester } from '../disk/threads/digester.ts';
import type { Writers } from '../disk/threads/writers.ts';
import type { LateDigester, Storage } from '../storage.ts';
import { SharedPieces } from './shared-pieces.ts';
import { SharedUploads } from './shared-uploads.ts';

export class SharedStorage extends FolderStorage implements Storage {
  readonly uploads: SharedUploads;
  readonly pieces: SharedPieces;
  readonly hasOtherWriters = true;
  readonly prefixes = null;
  readonly lateDigests: LateDigester;

  private constructor(layout: DiskLayout, writers: Writers, digester: Digester) {
    const files = new DiskFiles(layout, writers, digester);
    super(layout, files, writers, digester);
    this.uploads = new SharedUploads(layout, files, writers, digester);
    this.pieces = new SharedPieces(layout, digester, this.uploads);
    this.lateDigests = {
      digest: (file, parts, signal) => digester.hashWhole(layout.published(file), file.sizeBytes, parts, signal),
    };
  }

  /**
   * Creates missing folders. The storage closes `writers` and `digester`.
   *
   * @param calls of the file system; tests pass failing ones.
   */
  static async open(
    folder: string,
    writers: Writers,
    digester: Digester,
    calls: DiskCalls = SYSTEM_CALLS,
  ): Promise<SharedStorage> {
    return new SharedStorage(await FolderStorage.openLayout(folder, calls), writers, digester);
  }

  get staged(): SharedUploads {
    return this.uploads;
  }
}
