/** What storages in a folder have in common, whether one server uses the folder or several do. */
import type { SpaceReporter } from '../storage.ts';
import type { PartSink } from '../upload-storage.ts';
import { DiskFiles } from './disk-files.ts';
import { DiskPreviews } from './disk-previews.ts';
import { type DiskCalls, explained } from './file-system.ts';
import { DiskLayout } from './layout.ts';
import type { Digester } from './threads/digester.ts';
import type { Writers } from './threads/writers.ts';

export abstract class FolderStorage {
  readonly files: DiskFiles;
  readonly previews: DiskPreviews;
  readonly presigner = null;
  readonly space: SpaceReporter;
  readonly #writers: Writers;
  readonly #digester: Digester;

  /** The storage closes `writers` and `digester`. */
  protected constructor(layout: DiskLayout, writers: Writers, digester: Digester) {
    this.#writers = writers;
    this.#digester = digester;
    this.files = new DiskFiles(layout, digester);
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
