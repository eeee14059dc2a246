/**
 * Staged uploads on a local file system: parts are written in place into one sparse file per upload, so that assembling
 * needs no work and publishing is a rename.
 */
import { pathToFileURL } from 'node:url';
import { GIB, KIB, MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { BytesGone } from '../errors.ts';
import type { Extent, FilePlace, PartSelection, StagedName, StagedUpload, StoredPart } from '../places.ts';
import type { PrefixReader } from '../storage.ts';
import type { FoundStaged, PartSink, StorageLimits, UploadStorage, WholeDigest } from '../upload-storage.ts';
import { DiskCopies } from './disk-copies.ts';
import type { DiskFiles } from './disk-files.ts';
import { type FileHandle, READ } from './file-system.ts';
import { Flusher } from './flusher.ts';
import { type DiskLayout, orNull } from './layout.ts';
import { Staging } from './staging.ts';
import { StagedFiles } from './staging-files.ts';
import type { Digester } from './threads/digester.ts';
import type { Writers } from './threads/writers.ts';

type LossListener = (uploadId: string) => void;

/** The greatest part is that of S3, so that an upload can be moved there. */
export const DISK_LIMITS: StorageLimits = {
  minPartSizeBytes: 64 * KIB,
  maxPartSizeBytes: 5 * GIB,
  maxPartCount: MAX_PART_COUNT,
};

export class DiskUploads implements UploadStorage, PrefixReader {
  readonly limits = DISK_LIMITS;
  readonly hasRefs = false;
  readonly #layout: DiskLayout;
  readonly #files: DiskFiles;
  readonly #writers: Writers;
  readonly #digester: Digester;
  readonly #onLost: LossListener;
  readonly #flusher: Flusher;
  readonly #stagedFiles: StagedFiles;
  readonly #staging: Staging;
  readonly #copies: DiskCopies;

  /** @param onLost is called with every upload whose written bytes the disk has lost. */
  constructor(layout: DiskLayout, files: DiskFiles, writers: Writers, digester: Digester, onLost: LossListener) {
    this.#layout = layout;
    this.#files = files;
    this.#writers = writers;
    this.#digester = digester;
    this.#onLost = onLost;
    this.#staging = new Staging(layout, files, digester);
    this.#copies = new DiskCopies(layout, files, writers, this.#staging);
    this.#flusher = new Flusher((uploadId) => this.#lose(uploadId));
    this.#stagedFiles = new StagedFiles(layout.calls, this.#flusher, (uploadId) => layout.staged(uploadId));
  }

  get digesting(): SharedArrayBuffer {
    return this.#digester.working;
  }

  fileIdOf(): null {
    return null;
  }

  async create(upload: StagedUpload): Promise<null> {
    await this.#staging.create(upload);
    return null;
  }

  async renew(upload: StagedUpload): Promise<null> {
    await this.#stagedFiles.close(upload.id, 'keep');
    await this.create(upload);
    this.#stagedFiles.forget(upload.id);
    return null;
  }

  async openSink(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'> {
    const used = await this.#stagedFiles.use(upload).catch((error: unknown) => {
      if (error instanceof BytesGone) return 'lost' as const;
      throw error;
    });
    if (used === 'lost') return 'lost';
    const { fd, release } = used;
    return this.#writers.open({
      fd,
      offset: extent.offset,
      onWritten: (bytes) => this.#flusher.noteWritten(upload.id, fd, bytes),
      whenWritable: () => this.#flusher.whenWritable(),
      onSettled: release,
    });
  }

  async findLost(upload: StagedUpload, parts: readonly StoredPart[]): Promise<number[]> {
    return await this.#staging.findLost(upload, this.#layout.staged(upload.id), parts);
  }

  async assemble(): Promise<void> {}

  async digest(upload: StagedUpload, file: FilePlace, unverified: PartSelection | null = null): Promise<WholeDigest> {
    const path = this.#digester.isFollowing(upload.id)
      ? this.#layout.staged(upload.id)
      : await this.#staging.find(upload, file);
    const { sizeBytes } = upload;
    const digest = await this.#digester.follow(upload.id, path, sizeBytes, sizeBytes, () => unverified);
    if (digest.identity !== null) this.#stagedFiles.assertSame(upload.id, digest.identity);
    return digest;
  }

  async publish(upload: StagedUpload, file: FilePlace): Promise<void> {
    // The result of a running flush is awaited before the bytes count as safe.
    const isFlushed = await this.#stagedFiles.close(upload.id, 'keep');
    const from = this.#layout.staged(upload.id);
    const handle = await orNull(this.#layout.calls.open(from, READ));
    if (!handle) {
      // The rename was done, and the process died before the record was inserted.
      if ((await this.#files.stat(file)) !== file.sizeBytes) {
        throw new BytesGone('The bytes of this upload are not in the storage.');
      }
      await this.#settle(upload, file);
      return;
    }
    try {
      const { sizeBytes, identity } = this.#layout.calls.examine(handle);
      if (sizeBytes !== file.sizeBytes) {
        throw new BytesGone(`The staging file has ${sizeBytes} bytes instead of ${file.sizeBytes}.`);
      }
      this.#stagedFiles.assertSame(upload.id, identity);
      if (!isFlushed) await this.#flush(upload.id, handle);
      await this.#layout.makeFileFolder(file);
      await this.#layout.calls.rename(from, this.#layout.published(file));
    } finally {
      await this.#layout.calls.close(handle);
    }
    await this.#settle(upload, file);
  }

  async #flush(uploadId: string, handle: FileHandle): Promise<void> {
    await this.#layout.calls.sync(handle).catch(async (error: unknown) => {
      await this.#lose(uploadId);
      throw error;
    });
  }

  async publishCopy(upload: StagedUpload, source: FilePlace, file: FilePlace, sha256: Uint8Array): Promise<void> {
    await this.#copies.publish(upload, source, file, sha256);
  }

  async withdraw(upload: StagedUpload, file: FilePlace): Promise<'staged'> {
    await this.#staging.withdraw(upload, file);
    return 'staged';
  }

  /** After the rename, also one by another process. */
  async #settle(upload: StagedUpload, file: FilePlace): Promise<void> {
    this.#stagedFiles.forget(upload.id);
    await this.#staging.seal(file);
    void this.#digester.forget(upload.id);
  }

  async discard({ id: uploadId }: Pick<StagedName, 'id'>): Promise<void> {
    // The space is free only when nobody has the file open.
    await this.#digester.forget(uploadId);
    await this.#stagedFiles.close(uploadId, 'drop');
    // A folder may have its name. Not flushed: a file that returns after a power loss has no live upload, and is
    // discarded again.
    await this.#layout.calls.remove(this.#layout.staged(uploadId));
    this.#stagedFiles.forget(uploadId);
  }

  async list(): Promise<FoundStaged[]> {
    return await this.#staging.list();
  }

  follow(upload: StagedUpload, prefixBytes: number, unverified: () => PartSelection | null = () => null): void {
    const path = this.#layout.staged(upload.id);
    // A failure is reported when the digest is requested.
    this.#digester.follow(upload.id, path, upload.sizeBytes, prefixBytes, unverified).catch(() => {});
  }

  async catchUp(uploadId: string, slackBytes: number): Promise<void> {
    await this.#digester.catchUp(uploadId, slackBytes);
  }

  lagBytes(): number {
    return this.#digester.lagBytes();
  }

  forget(uploadId: string): void {
    void this.#digester.forget(uploadId);
  }

  locate(uploadId: string): string {
    return pathToFileURL(this.#layout.staged(uploadId)).href;
  }

  async close(): Promise<void> {
    await this.#stagedFiles.closeAll();
  }

  /**
   * The disk has lost written bytes. The page cache still has them, for this process and the next one, so that no
   * digest can find the loss: the staging file is removed at once, independent of the process and the database.
   */
  async #lose(uploadId: string): Promise<void> {
    this.#onLost(uploadId);
    // The listener discards the upload, and repeats that until it succeeds.
    await this.#layout.calls.remove(this.#layout.staged(uploadId)).catch(() => {});
  }
}
