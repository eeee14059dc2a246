/** Pictures of published files on a local file system. */
import { join } from 'node:path';
import type { PreviewStorage } from '../storage.ts';
import { type DiskLayout, orNull } from './layout.ts';

export class DiskPreviews implements PreviewStorage {
  readonly #layout: DiskLayout;

  constructor(layout: DiskLayout) {
    this.#layout = layout;
  }

  async keep(fileId: string, name: string, png: Uint8Array): Promise<void> {
    const { calls, previews } = this.#layout;
    const path = this.#layout.preview(fileId, name);
    await calls.makeFolder(join(previews, fileId));
    // Written atomically. After a power loss it may be empty, and is drawn again.
    await calls.writeWhole(`${path}.new`, png);
    await calls.rename(`${path}.new`, path);
  }

  async read(fileId: string, name: string): Promise<Uint8Array | null> {
    const png = await orNull(this.#layout.calls.readWhole(this.#layout.preview(fileId, name)));
    return png && png.length > 0 ? png : null;
  }

  async remove(fileId: string): Promise<void> {
    await this.#layout.removeFrom(this.#layout.previews, fileId);
  }

  async list(): Promise<string[]> {
    return (await orNull(this.#layout.calls.list(this.#layout.previews))) ?? [];
  }
}
