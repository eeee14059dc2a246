/** What storages in a folder have in common, whether one server uses the folder or several do. */
import { CompressedFiles } from '../compressed/compressed-files.ts';
import type { FileCompressor } from '../file-compressor.ts';
import type { SpaceReporter } from '../storage.ts';
import type { PartSink } from '../upload-storage.ts';
import type { DiskFiles } from './disk-files.ts';
import { DiskPreviews } from './disk-previews.ts';
import { type DiskCalls, explained } from './file-system.ts';
import { DiskLayout } from './layout.ts';
import type { Digester } from './threads/digester.ts';
import type { Writers } from './threads/writers.ts';

export abstract class FolderStorage {
  readonly files: CompressedFiles;
  readonly compressor: FileCompressor;
  readonly previews: DiskPreviews;
  readonly presigner = null;
  readonly space: SpaceReporter;
  readonly #writers: Writers;
  readonly #digester: Digester;

  /** The storage closes `writers` and `digester`. @param named the files of the layout. */
  protected constructor(layout: DiskLayout, named: DiskFiles, writers: Writers, digester: Digester) {
    this.#writers = writers;
    this.#digester = digester;
    this.files = new CompressedFiles(named, () => this.openHash());
    this.compressor = this.files;
    this.previews = new DiskPreviews(layout);
    this.space = { read: () => layout.readSpace() };
  }

  /** Creates missing folders. */
  protected static async openLayout(folder: string, calls: DiskCalls): Promise<DiskLayout> {
    const layout = new DiskLayout(folder, explained(calls));
    await layout.create();
    return layout;
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
