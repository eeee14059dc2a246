/** The folders of the storage on a local file system, all on one file system, and where things are in them. */
import { join } from 'node:path';
import { durableStep } from '../../durable-step.ts';
import { storedName } from '../compressed/place.ts';
import { BytesGone } from '../errors.ts';
import type { FilePlace } from '../places.ts';
import { type DiskCalls, READ } from './file-system.ts';
import { FolderFlushes } from './folder-flushes.ts';

export class DiskLayout {
  readonly staging: string;
  readonly files: string;
  readonly previews: string;
  readonly calls: DiskCalls;
  readonly #root: string;
  readonly #flushes = new FolderFlushes((path) => this.#flushFolder(path));

  /** @param calls whose errors are UploadErrors (`explained`). */
  constructor(root: string, calls: DiskCalls) {
    this.#root = root;
    this.staging = join(root, 'staging');
    this.files = join(root, 'files');
    this.previews = join(root, 'previews');
    this.calls = calls;
  }

  /** Makes the folders that are missing. */
  async create(): Promise<void> {
    await this.calls.makeFolder(this.staging);
    await this.calls.makeFolder(this.files);
    await this.syncFolder(this.#root);
  }

  staged(uploadId: string): string {
    return join(this.staging, uploadId);
  }

  published(file: Pick<FilePlace, 'fileId' | 'filename' | 'isCompressed'>): string {
    return join(this.files, file.fileId, storedName(file));
  }

  /** Makes the folder that `published` is in. */
  async makeFileFolder({ fileId }: Pick<FilePlace, 'fileId'>): Promise<void> {
    await this.calls.makeFolder(join(this.files, fileId));
  }

  preview(fileId: string, name: string): string {
    return join(this.previews, fileId, `${name}.png`);
  }

  /** As `SpaceReporter.read`. */
  async readSpace(): Promise<{ freeBytes: number; sizeBytes: number }> {
    const { bavail, blocks, bsize } = await this.calls.space(this.staging);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  }

  /** Flushes the names that are in a folder now, together with other callers. */
  async syncFolder(path: string): Promise<void> {
    await this.#flushes.flush(path);
  }

  async #flushFolder(path: string): Promise<void> {
    const handle = await this.calls.open(path, READ);
    try {
      await durableStep('disk.sync-folder', () => this.calls.sync(handle));
    } finally {
      await this.calls.close(handle);
    }
  }

  /** Removes the entry of this id in one of the folders, and flushes the folder. */
  async removeFrom(folder: string, id: string): Promise<void> {
    const path = join(folder, id);
    await this.calls.remove(path).catch(async (error: unknown) => {
      if (!(await this.#isHeldOpen(path))) throw error;
    });
    // Also when there was nothing to remove: an earlier attempt may have been interrupted here. `previews` may not exist.
    await orNull(this.syncFolder(folder));
  }

  /**
   * NFS keeps what is removed while a reader has it open, under a name that begins so, and removes it after that. The
   * folder is left for the comparison with the records.
   */
  async #isHeldOpen(path: string): Promise<boolean> {
    const names = await this.calls.list(path).catch(() => []);
    return names.length > 0 && names.every(isHeldName);
  }
}

/** Of a file that was removed and is still open somewhere. */
export function isHeldName(name: string): boolean {
  return name.startsWith('.nfs');
}

/** Null when it does not exist. All other failures are thrown. */
export async function orNull<T>(result: Promise<T>): Promise<T | null> {
  return await result.catch((error: unknown) => {
    if (error instanceof BytesGone) return null;
    throw error;
  });
}
