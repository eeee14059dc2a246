/**
 * The storage on a local file system: one folder with `staging/`, `files/` and `previews/` on one file system, so that
 * a publish is a rename.
 */
import type { Storage } from '../storage.ts';
import { DiskFiles } from './disk-files.ts';
import { DiskUploads } from './disk-uploads.ts';
import { type DiskCalls, SYSTEM_CALLS } from './file-system.ts';
import { FolderStorage } from './folder-storage.ts';
import type { DiskLayout } from './layout.ts';
import { PlacedPieces } from './placed-pieces.ts';
import type { Digester } from './threads/digester.ts';
import type { Writers } from './threads/writers.ts';

export class DiskStorage extends FolderStorage implements Storage {
  readonly uploads: DiskUploads;
  readonly pieces: PlacedPieces;
  readonly hasOtherWriters = false;
  readonly lateDigests = null;

  private constructor(layout: DiskLayout, writers: Writers, digester: Digester, onLost: (uploadId: string) => void) {
    const files = new DiskFiles(layout, writers, digester);
    super(layout, files, writers, digester);
    this.uploads = new DiskUploads(layout, files, writers, digester, onLost);
    this.pieces = new PlacedPieces(layout, digester, this.uploads);
  }

  /**
   * Creates missing folders. The storage closes `writers` and `digester`.
   *
   * @param onLost is called with every upload whose written bytes the disk has lost.
   * @param calls of the file system; tests pass failing ones.
   */
  static async open(
    folder: string,
    writers: Writers,
    digester: Digester,
    onLost: (uploadId: string) => void,
    calls: DiskCalls = SYSTEM_CALLS,
  ): Promise<DiskStorage> {
    return new DiskStorage(await FolderStorage.openLayout(folder, calls), writers, digester, onLost);
  }

  get staged(): DiskUploads {
    return this.uploads;
  }

  get prefixes(): DiskUploads {
    return this.uploads;
  }

  override async close(): Promise<void> {
    // Writers first: a descriptor must not be closed, and its number reused, under a write.
    await super.close();
    await this.uploads.close();
  }
}
