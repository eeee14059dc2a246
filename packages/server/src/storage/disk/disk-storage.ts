/**
 * The store on a local file system: one folder with `staging/` and `files/` on one file system, so that a publish is a
 * rename. Parts are written in place into one sparse file per upload.
 */
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { isMrcName, type PreviewRequest } from '@cryolift/mrc';
import type { AnalysisTarget } from '../../analysis/messages.ts';
import { MrcAnalyzer } from '../../analysis/mrc-analyzer.ts';
import {
  type AnalysisResult,
  BytesGone,
  type Extent,
  type FilePlace,
  type PartSelection,
  type PartSink,
  type PartStore,
  type Rendered,
  type StagedUpload,
  type WholeDigest,
} from '../storage.ts';
import type { Digester } from './digester.ts';
import { LargeReads, streamFile } from './file-stream.ts';
import { CREATE, type DiskCalls, explained, READ, SYSTEM_CALLS } from './file-system.ts';
import { Flusher } from './flusher.ts';
import { StagedFiles } from './staging-files.ts';
import type { Writers } from './writers.ts';

type LossListener = (uploadId: string) => void;

export class DiskStore implements PartStore {
  readonly #staging: string;
  readonly #files: string;
  readonly #previews: string;
  readonly #writers: Writers;
  readonly #digester: Digester;
  readonly #analyzer: MrcAnalyzer;
  readonly #flusher: Flusher;
  readonly #onLost: LossListener;
  readonly #stagedFiles: StagedFiles;
  readonly #calls: DiskCalls;
  readonly #largeReads = new LargeReads();

  private constructor(folder: string, writers: Writers, digester: Digester, onLost: LossListener, calls: DiskCalls) {
    this.#staging = join(folder, 'staging');
    this.#files = join(folder, 'files');
    this.#previews = join(folder, 'previews');
    this.#writers = writers;
    this.#digester = digester;
    this.#analyzer = new MrcAnalyzer(digester.working);
    this.#onLost = onLost;
    this.#flusher = new Flusher((uploadId) => this.#lose(uploadId));
    this.#calls = explained(calls);
    this.#stagedFiles = new StagedFiles(this.#calls, this.#flusher, (uploadId) => this.#staged(uploadId));
  }

  /**
   * Makes the folders that are missing. The store owns `writers` and `digester` from here on.
   *
   * @param onLost is told of every upload whose written bytes the disk failed to keep.
   * @param calls of the file system; tests pass some that fail.
   */
  static async open(
    folder: string,
    writers: Writers,
    digester: Digester,
    onLost: LossListener,
    calls: DiskCalls = SYSTEM_CALLS,
  ): Promise<DiskStore> {
    const store = new DiskStore(folder, writers, digester, onLost, calls);
    await store.#calls.makeFolder(store.#staging);
    await store.#calls.makeFolder(store.#files);
    await store.#syncFolder(folder);
    return store;
  }

  async create(upload: StagedUpload): Promise<void> {
    const handle = await this.#calls.open(this.#staged(upload.id), CREATE);
    try {
      await this.#calls.truncate(handle, upload.sizeBytes);
    } finally {
      await this.#calls.close(handle);
    }
  }

  async renew(upload: StagedUpload): Promise<void> {
    await this.#stagedFiles.close(upload.id, 'keep');
    await this.create(upload);
    this.#stagedFiles.forget(upload.id);
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

  openHash(): PartSink {
    return this.#writers.open(null);
  }

  async hashExtent(uploadId: string, extent: Extent): Promise<Uint8Array> {
    return await this.#digester.hash(this.#staged(uploadId), extent);
  }

  notePrefix(upload: StagedUpload, prefixBytes: number, unverified: () => PartSelection | null = () => null): void {
    const path = this.#staged(upload.id);
    // A failure here shows when the digest is asked for.
    this.#digester.follow(upload.id, path, upload.sizeBytes, prefixBytes, unverified).catch(() => {});
    if (isMrcName(upload.filename)) this.#analyzer.follow(upload.id, this.#see(upload), prefixBytes);
  }

  async catchUpDigest(uploadId: string, slackBytes: number): Promise<void> {
    await this.#digester.catchUp(uploadId, slackBytes);
  }

  async digestWhole(
    upload: StagedUpload,
    file: FilePlace,
    unverified: PartSelection | null = null,
  ): Promise<WholeDigest> {
    // A publish that was cut off after its rename has moved the bytes already.
    const path = (await this.statFile(file)) === null ? this.#staged(upload.id) : this.#published(file);
    const { sizeBytes } = upload;
    const digest = await this.#digester.follow(upload.id, path, sizeBytes, sizeBytes, () => unverified);
    if (digest.identity !== null) this.#stagedFiles.assertSame(upload.id, digest.identity);
    return digest;
  }

  digestLagBytes(): number {
    return this.#digester.lagBytes();
  }

  forgetDigest(uploadId: string): void {
    void this.#digester.forget(uploadId);
    void this.#analyzer.forget(uploadId);
  }

  async publish(upload: StagedUpload, file: FilePlace): Promise<void> {
    const from = this.#staged(upload.id);
    const to = this.#published(file);
    // What a flush that is under way has to say is heard before the bytes are taken for safe.
    await this.#stagedFiles.close(upload.id, 'keep');
    const handle = await orNull(this.#calls.open(from, READ));
    if (!handle) {
      // The rename happened, and the process died before the record was made.
      if ((await this.statFile(file)) !== file.sizeBytes) {
        throw new BytesGone('The bytes of this upload are not in the storage.');
      }
      await this.#settle(upload, file);
      return;
    }
    try {
      const { sizeBytes, identity } = this.#calls.examine(handle);
      if (sizeBytes !== file.sizeBytes) {
        throw new BytesGone(`The staging file has ${sizeBytes} bytes instead of ${file.sizeBytes}.`);
      }
      this.#stagedFiles.assertSame(upload.id, identity);
      await this.#calls.sync(handle).catch(async (error: unknown) => {
        await this.#lose(upload.id);
        throw error;
      });
      await this.#calls.makeFolder(join(this.#files, file.fileId));
      await this.#calls.rename(from, to);
    } finally {
      await this.#calls.close(handle);
    }
    await this.#settle(upload, file);
  }

  async withdraw(upload: StagedUpload, file: FilePlace): Promise<void> {
    if ((await this.statFile(file)) !== null) {
      // Before the rename: a server cut off between the two finds a file that it can write.
      await this.#calls.setMode(this.#published(file), 0o600);
      await this.#calls.rename(this.#published(file), this.#staged(upload.id));
    }
    const isMoved = await orNull(this.#calls.removeEmptyFolder(join(this.#files, file.fileId)).then(() => true));
    if (!isMoved) return;
    for (const folder of [this.#staging, this.#files]) await this.#syncFolder(folder);
  }

  /** After the rename, also one that another process made: read-only, and there after a power loss. */
  async #settle(upload: StagedUpload, file: FilePlace): Promise<void> {
    this.#stagedFiles.forget(upload.id);
    await this.#calls.setMode(this.#published(file), 0o400);
    for (const folder of [join(this.#files, file.fileId), this.#files, this.#staging]) await this.#syncFolder(folder);
    void this.#digester.forget(upload.id);
  }

  async discard(uploadId: string): Promise<void> {
    // The space is free only when nobody has the file open.
    await Promise.all([this.#digester.forget(uploadId), this.#analyzer.forget(uploadId)]);
    await this.#stagedFiles.close(uploadId, 'drop');
    // A folder may be in its place. Not flushed: one that comes back after a power loss has no live upload, and is
    // discarded again.
    await this.#calls.remove(this.#staged(uploadId));
    this.#stagedFiles.forget(uploadId);
  }

  async listStaged(): Promise<string[]> {
    return await this.#calls.list(this.#staging);
  }

  async readFile(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null> {
    if (range.end < range.start) return null;
    const handle = await orNull(this.#calls.open(this.#published(file), READ));
    return handle && streamFile(this.#calls, handle, range, this.#largeReads);
  }

  async statFile(file: FilePlace): Promise<number | null> {
    return await this.#calls.sizeOf(this.#published(file)).catch((error: unknown) => {
      if (error instanceof BytesGone && error.isAbsent) return null;
      throw error;
    });
  }

  async digestFile(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    return await this.#digester.hashSlowly(this.#published(file), file.sizeBytes, pace);
  }

  async removeFile(fileId: string): Promise<void> {
    for (const folder of [this.#previews, this.#files]) {
      await this.#calls.remove(join(folder, fileId));
      // Also when there was nothing to remove: an earlier attempt may have been cut off here. `previews` may not exist.
      await orNull(this.#syncFolder(folder));
    }
  }

  async listFiles(): Promise<string[]> {
    return await this.#calls.list(this.#files);
  }

  async listPreviews(): Promise<string[]> {
    return (await orNull(this.#calls.list(this.#previews))) ?? [];
  }

  locate(file: FilePlace): string {
    return pathToFileURL(this.#published(file)).href;
  }

  async analyze(uploadId: string, file: FilePlace, signal: AbortSignal): Promise<AnalysisResult | null> {
    return await this.#analyzer.analyze(uploadId, this.#see(file), signal);
  }

  async render(of: StagedUpload | FilePlace, request: PreviewRequest, signal: AbortSignal): Promise<Rendered> {
    return await this.#analyzer.render(this.#see(of), request, signal);
  }

  async keepPreview(fileId: string, name: string, png: Uint8Array): Promise<void> {
    const path = this.#preview(fileId, name);
    await this.#calls.makeFolder(join(this.#previews, fileId));
    // Whole or not there. After a power loss it may be empty, and is drawn again.
    await this.#calls.writeWhole(`${path}.new`, png);
    await this.#calls.rename(`${path}.new`, path);
  }

  async readPreview(fileId: string, name: string): Promise<Uint8Array | null> {
    const png = await orNull(this.#calls.readWhole(this.#preview(fileId, name)));
    return png && png.length > 0 ? png : null;
  }

  async space(): Promise<{ freeBytes: number; sizeBytes: number }> {
    const { bavail, blocks, bsize } = await this.#calls.space(this.#staging);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  }

  async close(): Promise<void> {
    // Writers first: a descriptor must not be closed, and its number reused, under a write.
    await Promise.all([this.#writers.close(), this.#digester.close(), this.#analyzer.close()]);
    await this.#stagedFiles.closeAll();
  }

  #staged(uploadId: string): string {
    return join(this.#staging, uploadId);
  }

  #published(file: Pick<FilePlace, 'fileId' | 'filename'>): string {
    return join(this.#files, file.fileId, file.filename);
  }

  #preview(fileId: string, name: string): string {
    return join(this.#previews, fileId, `${name}.png`);
  }

  /** Where the bytes are that are to be looked at. */
  #see(of: StagedUpload | FilePlace): AnalysisTarget {
    const path = 'fileId' in of ? this.#published(of) : this.#staged(of.id);
    return { path, sizeBytes: of.sizeBytes, filename: of.filename, overrides: of.overrides };
  }

  /**
   * The disk did not keep what was written. The page cache still shows it, to this process and to the next one, so that no
   * digest can tell what is missing: the staging file goes at once, whatever becomes of the process and the database.
   */
  async #lose(uploadId: string): Promise<void> {
    this.#onLost(uploadId);
    // Who is told discards the upload, and tries that again until it is done.
    await this.#calls.remove(this.#staged(uploadId)).catch(() => {});
  }

  /** Makes what was named, renamed or removed in a folder survive a power loss. */
  async #syncFolder(path: string): Promise<void> {
    const handle = await this.#calls.open(path, READ);
    try {
      await this.#calls.sync(handle);
    } finally {
      await this.#calls.close(handle);
    }
  }
}

/** Null when it is not there. Every other failure says nothing about that, and is thrown. */
async function orNull<T>(result: Promise<T>): Promise<T | null> {
  return await result.catch((error: unknown) => {
    if (error instanceof BytesGone) return null;
    throw error;
  });
}
