/** What is done with the staging file of an upload by its name. Nothing here is in the memory of the process. */
import { join } from 'node:path';
import { partExtent } from '@cryolift/protocol/plan';
import type { FilePlace, StagedUpload, StoredPart } from '../places.ts';
import type { FoundStaged } from '../upload-storage.ts';
import type { DiskFiles } from './disk-files.ts';
import { CREATE } from './file-system.ts';
import { type DiskLayout, isHeldName, orNull } from './layout.ts';
import type { Digester } from './threads/digester.ts';

export class Staging {
  readonly #layout: DiskLayout;
  readonly #files: DiskFiles;
  readonly #digester: Digester;

  constructor(layout: DiskLayout, files: DiskFiles, digester: Digester) {
    this.#layout = layout;
    this.#files = files;
    this.#digester = digester;
  }

  /**
   * Makes the sparse file. One that is there, with the right size, stays as it is.
   *
   * @param hasLength false: it is as long as what is written to it.
   */
  async create(upload: Pick<StagedUpload, 'id' | 'sizeBytes'>, hasLength = true): Promise<void> {
    const handle = await this.#layout.calls.open(this.#layout.staged(upload.id), CREATE);
    try {
      if (hasLength) await this.#layout.calls.truncate(handle, upload.sizeBytes);
    } finally {
      await this.#layout.calls.close(handle);
    }
  }

  /** @returns where the bytes are: a publish that was not recorded has moved them. */
  async find(upload: Pick<StagedUpload, 'id'>, file: FilePlace): Promise<string> {
    const isPublished = (await this.#files.stat(file)) !== null;
    return isPublished ? this.#layout.published(file) : this.#layout.staged(upload.id);
  }

  /** Reads parts. @returns the indices of those that are missing or have other digests. */
  async findLost(upload: StagedUpload, path: string, parts: readonly StoredPart[]): Promise<number[]> {
    const lost: number[] = [];
    for (const { idx, sha256 } of parts) {
      const extent = partExtent(upload.sizeBytes, upload.partSizeBytes, idx);
      // Anything else says nothing about the bytes.
      const stored = await orNull(this.#digester.hash(path, extent));
      if (!stored || Buffer.compare(stored, sha256) !== 0) lost.push(idx);
    }
    return lost;
  }

  /** After the rename of a publish: makes the file read-only and flushes the folders. Safe to repeat. */
  async seal(file: FilePlace): Promise<void> {
    const { calls, files, staging } = this.#layout;
    await calls.setMode(this.#layout.published(file), 0o400);
    const folders = [join(files, file.fileId), files, staging];
    await Promise.all(folders.map((folder) => this.#layout.syncFolder(folder)));
  }

  /** Moves a file that was published and not recorded back. Safe to repeat. */
  async withdraw(upload: Pick<StagedUpload, 'id'>, file: FilePlace): Promise<void> {
    const { calls, files, staging } = this.#layout;
    const path = this.#layout.published(file);
    // Before the rename: a server that is killed between the two steps finds a writable file.
    const isThere = await orNull(calls.setMode(path, 0o600).then(() => true));
    // Missing by now: another server has moved it.
    if (isThere) await orNull(calls.rename(path, this.#layout.staged(upload.id)));
    const isMoved = await orNull(calls.removeEmptyFolder(join(files, file.fileId)).then(() => true));
    if (!isMoved) return;
    for (const folder of [staging, files]) await this.#layout.syncFolder(folder);
  }

  async list(): Promise<FoundStaged[]> {
    const names = await this.#layout.calls.list(this.#layout.staging);
    const ids = names.filter((name) => !isHeldName(name));
    return ids.map((id) => ({ id, filename: '', ref: null, createdAtMs: null }));
  }
}
