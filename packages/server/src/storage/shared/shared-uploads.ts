/**
 * Staged uploads in a folder that several servers mount: parts are written in place into one sparse file per upload, and
 * are flushed before they count. No server knows what the others write, so nothing is remembered between two calls.
 */
import { pathToFileURL } from 'node:url';
import { KIB } from '@cryolift/protocol/plan';
import { DiskCopies } from '../disk/disk-copies.ts';
import type { DiskFiles } from '../disk/disk-files.ts';
import { DISK_LIMITS } from '../disk/disk-uploads.ts';
import { type FileHandle, READ, READ_WRITE } from '../disk/file-system.ts';
import { type DiskLayout, orNull } from '../disk/layout.ts';
import { Staging } from '../disk/staging.ts';
import type { Digester } from '../disk/threads/digester.ts';
import type { Writers } from '../disk/threads/writers.ts';
import { BytesGone } from '../errors.ts';
import type { Extent, FilePlace, PartSelection, StagedName, StagedUpload, StoredPart } from '../places.ts';
import type { StagedReader } from '../storage.ts';
import type { FoundStaged, PartSink, StorageLimits, UploadStorage, WholeDigest } from '../upload-storage.ts';
import { FlushedSink } from './flushed-sink.ts';

/**
 * A system writes whole pages, so two servers never write in one page: the size of a part is a multiple of the largest
 * page that Linux uses.
 */
export const SHARED_LIMITS: StorageLimits = { ...DISK_LIMITS, partSizeStepBytes: 64 * KIB };

export class SharedUploads implements UploadStorage, StagedReader {
  readonly limits = SHARED_LIMITS;
  readonly hasRefs = false;
  readonly #layout: DiskLayout;
  readonly #files: DiskFiles;
  readonly #writers: Writers;
  readonly #digester: Digester;
  readonly #staging: Staging;
  readonly #copies: DiskCopies;

  constructor(layout: DiskLayout, files: DiskFiles, writers: Writers, digester: Digester) {
    this.#layout = layout;
    this.#files = files;
    this.#writers = writers;
    this.#digester = digester;
    this.#staging = new Staging(layout, files, digester);
    this.#copies = new DiskCopies(layout, files, writers, this.#staging);
  }

  fileIdOf(): null {
    return null;
  }

  async create(upload: StagedUpload): Promise<null> {
    await this.#staging.create(upload, !upload.isGrowing);
    return null;
  }

  async renew(upload: StagedUpload): Promise<null> {
    return await this.create(upload);
  }

  async openSink(upload: StagedUpload, { offset }: Extent): Promise<PartSink | 'lost'> {
    const handle = await this.#open(upload);
    if (!handle) return 'lost';
    const { calls } = this.#layout;
    try {
      let found = calls.examine(handle);
      if (upload.empty && !upload.isGrowing && found.sizeBytes < upload.sizeBytes) {
        // A process that died while it made the file has left it short.
        await calls.truncate(handle, upload.sizeBytes);
        found = calls.examine(handle);
      }
      const { isRemoved, sizeBytes, receipt } = found;
      const isLong = sizeBytes === upload.sizeBytes || (upload.isGrowing && sizeBytes < upload.sizeBytes);
      if (!isRemoved && isLong) {
        return new FlushedSink(calls, handle, receipt, (settled) => this.#writers.open({ ...settled, offset }));
      }
    } catch (error) {
      await calls.close(handle).catch(() => {});
      throw error;
    }
    await calls.close(handle).catch(() => {});
    return 'lost';
  }

  /** A descriptor of its own for each part: closing it makes the bytes visible to others (close-to-open of NFS). */
  async #open(upload: StagedUpload): Promise<FileHandle | null> {
    const open = () => orNull(this.#layout.calls.open(this.#layout.staged(upload.id), READ_WRITE));
    const handle = await open();
    if (handle || !upload.empty) return handle;
    await this.create(upload);
    return await open();
  }

  async findLost(upload: StagedUpload, parts: readonly StoredPart[]): Promise<number[]> {
    return await this.#staging.findLost(upload, this.#layout.staged(upload.id), parts);
  }

  /** Parts that were written to this file were flushed. Those that were written to another one are read. */
  async assemble(upload: StagedUpload, file: FilePlace, parts: readonly StoredPart[]): Promise<void> {
    const { calls } = this.#layout;
    const path = await this.#staging.find(upload, file);
    const handle = await calls.open(path, READ);
    const others: StoredPart[] = [];
    try {
      const { receipt } = calls.examine(handle);
      others.push(...parts.filter((part) => part.receipt !== receipt));
    } finally {
      await calls.close(handle);
    }
    const lost = await this.#staging.findLost(upload, path, others);
    if (lost.length > 0) throw new BytesGone(`${lost.length} of ${parts.length} parts are not in the storage.`);
  }

  async digest(upload: StagedUpload, file: FilePlace, unverified: PartSelection | null = null): Promise<WholeDigest> {
    return await this.#digester.hashWhole(await this.#staging.find(upload, file), upload.sizeBytes, unverified);
  }

  async publish(upload: StagedUpload, file: FilePlace): Promise<void> {
    // Another server may have published it; then a staging file that is there is one that was made too late.
    if ((await this.#files.stat(file)) === null) await this.#move(upload, file);
    const sizeBytes = await this.#files.stat(file);
    if (sizeBytes !== file.sizeBytes) {
      throw new BytesGone(`The file has ${sizeBytes ?? 'none'} of ${file.sizeBytes} bytes.`, {
        isAbsent: sizeBytes === null,
      });
    }
    await this.#staging.seal(file);
  }

  /** Does nothing when another server has moved it meanwhile. */
  async #move(upload: StagedUpload, file: FilePlace): Promise<void> {
    const { calls } = this.#layout;
    const path = this.#layout.staged(upload.id);
    const handle = await orNull(calls.open(path, READ));
    if (!handle) return;
    try {
      const { sizeBytes } = calls.examine(handle);
      if (sizeBytes !== file.sizeBytes) {
        throw new BytesGone(`The staging file has ${sizeBytes} bytes instead of ${file.sizeBytes}.`);
      }
      // The parts were flushed; the length of an empty file was not.
      await calls.sync(handle);
    } finally {
      await calls.close(handle);
    }
    await this.#layout.makeFileFolder(file);
    await orNull(calls.rename(path, this.#layout.published(file)));
  }

  async publishCopy(upload: StagedUpload, source: FilePlace, file: FilePlace, sha256: Uint8Array): Promise<void> {
    await this.#copies.publish(upload, source, file, sha256);
  }

  async withdraw(upload: StagedUpload, file: FilePlace): Promise<'staged'> {
    await this.#staging.withdraw(upload, file);
    return 'staged';
  }

  async discard({ id }: StagedName): Promise<void> {
    await this.#layout.calls.remove(this.#layout.staged(id));
  }

  async list(): Promise<FoundStaged[]> {
    return await this.#staging.list();
  }

  locate(uploadId: string): string {
    return pathToFileURL(this.#layout.staged(uploadId)).href;
  }
}
