/**
 * The storage on a local file system: one folder with `staging/`, `files/` and `previews/` on one file system, so that
 * a publish is a rename.
 */
import type { SpaceReporter, Storage } from '../storage.ts';
import type { PartSink } from '../upload-storage.ts';
import { DiskFiles } from './disk-files.ts';
import { DiskPreviews } from './disk-previews.ts';
import { DiskUploads } from './disk-uploads.ts';
import { type DiskCalls, explained, SYSTEM_CALLS } from './file-system.ts';
import { DiskLayout } from './layout.ts';
import type { Digester } from './threads/digester.ts';
import type { Writers } from './threads/writers.ts';

export class DiskStorage implements Storage {
  readonly uploads: DiskUploads;
  readonly files: DiskFiles;
  readonly previews: DiskPreviews;
  readonly hasOtherWriters = false;
  readonly lateDigests = null;
  readonly presigner = null;
  readonly space: SpaceReporter;
  readonly #writers: Writers;
  readonly #digester: Digester;

  private constructor(layout: DiskLayout, writers: Writers, digester: Digester, onLost: (uploadId: string) => void) {
    this.#writers = writers;
    this.#digester = digester;
    this.files = new DiskFiles(layout, digester);
    this.previews = new DiskPreviews(layout);
    this.uploads = new DiskUploads(layout, this.files, writers, digester, onLost);
    this.space = { read: () => layout.readSpace() };
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
    const layout = new DiskLayout(folder, explained(calls));
    await layout.create();
    return new DiskStorage(layout, writers, digester, onLost);
  }

  get staged(): DiskUploads {
    return this.uploads;
  }

  get prefixes(): DiskUploads {
    return this.uploads;
  }

  openHash(): PartSink {
    return this.#writers.open(null);
  }

  async ping(): Promise<void> {
    await this.space.read();
  }

  async close(): Promise<void> {
    // Writers first: a descriptor must not be closed, and its number reused, under a write.
    await Promise.all([this.#writers.close(), this.#digester.close()]);
    await this.uploads.close();
  }
}
