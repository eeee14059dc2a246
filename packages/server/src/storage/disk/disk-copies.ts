/**
 * Copies of published files in a folder: a hard link, because published bytes are never changed in place; or, where the
 * file system has no links or no more of them, the bytes again.
 */
import { UploadError } from '@cryolift/protocol/errors';
import { BytesGone } from '../errors.ts';
import type { FilePlace, StagedUpload } from '../places.ts';
import type { DiskFiles } from './disk-files.ts';
import { CREATE, type FileHandle } from './file-system.ts';
import type { DiskLayout } from './layout.ts';
import type { Staging } from './staging.ts';
import type { Writers } from './threads/writers.ts';

export class DiskCopies {
  readonly #layout: DiskLayout;
  readonly #files: DiskFiles;
  readonly #writers: Writers;
  readonly #staging: Staging;
  /** Bytes of one file at a time are copied, so that uploads have disk and memory. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(layout: DiskLayout, files: DiskFiles, writers: Writers, staging: Staging) {
    this.#layout = layout;
    this.#files = files;
    this.#writers = writers;
    this.#staging = staging;
  }

  /** As `UploadStorage.publishCopy`. */
  async publish(
    upload: Pick<StagedUpload, 'id'>,
    source: FilePlace,
    file: FilePlace,
    sha256: Uint8Array,
  ): Promise<void> {
    // Whole when it has its name: an earlier call was interrupted after it.
    if ((await this.#files.stat(file)) !== file.sizeBytes) {
      await this.#layout.makeFileFolder(file);
      if (!(await this.#link(source, file))) {
        const mine = this.#turn.then(() => this.#copy(upload, source, file, sha256));
        this.#turn = mine.catch(() => {});
        await mine;
      }
    }
    await this.#staging.seal(file);
  }

  /** @returns false when the file system cannot. @throws BytesGone when there is no source of this size. */
  async #link(source: FilePlace, file: FilePlace): Promise<boolean> {
    if ((await this.#files.stat(source)) !== source.sizeBytes) throw gone();
    try {
      await this.#layout.calls.link(this.#layout.published(source), this.#layout.published(file));
      return true;
    } catch (error) {
      if (error instanceof BytesGone) throw error;
      // Another server was faster.
      if ((await this.#files.stat(file)) === file.sizeBytes) return true;
      // Whatever the reason is: what goes wrong with the disk itself goes wrong with the bytes, too.
      if (error instanceof UploadError) return false;
      throw error;
    }
  }

  async #copy({ id }: Pick<StagedUpload, 'id'>, source: FilePlace, file: FilePlace, sha256: Uint8Array): Promise<void> {
    const { calls } = this.#layout;
    const path = this.#layout.staged(id);
    try {
      const target = await calls.open(path, CREATE);
      try {
        await calls.truncate(target, file.sizeBytes);
        const written = await this.#write(target, source);
        if (Buffer.compare(written, sha256) !== 0) {
          throw new BytesGone('The stored bytes of the file do not have its SHA-256 any more.');
        }
        await calls.sync(target);
      } finally {
        await calls.close(target);
      }
      await calls.rename(path, this.#layout.published(file));
    } catch (error) {
      await calls.remove(path).catch(() => {});
      throw error;
    }
  }

  /** @returns the SHA-256 of what was written. */
  async #write(target: FileHandle, source: FilePlace): Promise<Uint8Array> {
    const sink = this.#writers.open({
      fd: target.fd,
      offset: 0,
      onWritten() {},
      whenWritable: () => undefined,
      onSettled() {},
    });
    try {
      if (source.sizeBytes > 0) {
        const bytes = await this.#files.read(source, { start: 0, end: source.sizeBytes - 1 });
        if (!bytes) throw gone();
        for await (const chunk of bytes) await sink.write(chunk as Buffer);
      }
      return (await sink.commit()).sha256;
    } finally {
      await sink.abort();
    }
  }
}

function gone(): BytesGone {
  return new BytesGone('The bytes of the file that is copied are not in the storage.', { isAbsent: true });
}
