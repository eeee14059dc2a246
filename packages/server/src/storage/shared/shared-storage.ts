/**
 * The storage in a folder of a file system that several servers mount. The files and folders are those of the storage on
 * a local disk; what is different is that nothing is decided by the memory of one process.
 */
import { DiskFiles } from '../disk/disk-files.ts';
import { DiskPreviews } from '../disk/disk-previews.ts';
import { type DiskCalls, explained, SYSTEM_CALLS } from '../disk/file-system.ts';
import { DiskLayout } from '../disk/layout.ts';
import type { Digester } from '../disk/threads/digester.ts';
import type { Writers } from '../disk/threads/writers.ts';
import type { LateDigester, SpaceReporter, Storage } from '../storage.ts';
import type { PartSink } from '../upload-storage.ts';
import { SharedUploads } from './shared-uploads.ts';

export class SharedStorage implements Storage {
  readonly uploads: SharedUploads;
  readonly files: DiskFiles;
  readonly previews: DiskPreviews;
  readonly hasOtherWriters = true;
  readonly prefixes = null;
  readonly presigner = null;
  readonly lateDigests: LateDigester;
  readonly space: SpaceReporter;
  readonly #writers: Writers;
  readonly #digester: Digester;

  private constructor(layout: DiskLayout, writers: Writers, digester: Digester) {
    this.#writers = writers;
    this.#digester = digester;
    this.files = new DiskFiles(layout, digester);
    this.previews = new DiskPreviews(layout);
    this.uploads = new SharedUploads(layout, this.files, writers, digester);
    this.space = { read: () => layout.readSpace() };
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
    const layout = new DiskLayout(folder, explained(calls));
    await layout.create();
    return new SharedStorage(layout, writers, digester);
  }

  get staged(): SharedUploads {
    return this.uploads;
  }

  openHash(): PartSink {
    return this.#writers.open(null);
  }

  async ping(): Promise<void> {
    await this.space.read();
  }

  async close(): Promise<void> {
    await Promise.all([this.#writers.close(), this.#digester.close()]);
  }
}
