/**
 * The store on a local file system: one folder with `staging/` and `files/` on one file system, so that a publish is a
 * rename. Parts are written in place into one sparse file per upload.
 */
import { constants, createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { isMrcName, type PreviewRequest } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Digester } from './digester.ts';
import { Flusher } from './flusher.ts';
import { identityOf } from './identity.ts';
import type { Seen } from './look-message.ts';
import { Looker } from './looker.ts';
import { StagedFiles } from './staged-files.ts';
import {
  BytesGone,
  type Extent,
  type FilePlace,
  type PartSelection,
  type PartSink,
  type PartStore,
  type Rendered,
  type StagedUpload,
  type Surveyed,
  type WholeDigest,
} from './store.ts';
import type { Writers } from './writers.ts';

const READ_BUFFER_BYTES = 256 * 1024;

/** For the server's user alone. */
const FOLDER = { recursive: true, mode: 0o700 };

type LossListener = (uploadId: string) => void;

export class DiskStore implements PartStore {
  readonly #staging: string;
  readonly #files: string;
  readonly #previews: string;
  readonly #writers: Writers;
  readonly #digester: Digester;
  readonly #looker: Looker;
  readonly #flusher: Flusher;
  readonly #onLost: LossListener;
  readonly #stagedFiles: StagedFiles;

  private constructor(folder: string, writers: Writers, digester: Digester, onLost: LossListener) {
    this.#staging = join(folder, 'staging');
    this.#files = join(folder, 'files');
    this.#previews = join(folder, 'previews');
    this.#writers = writers;
    this.#digester = digester;
    this.#looker = new Looker(digester.working);
    this.#onLost = onLost;
    this.#flusher = new Flusher((uploadId) => this.#lose(uploadId));
    this.#stagedFiles = new StagedFiles(this.#flusher, (uploadId) => this.#staged(uploadId));
  }

  /**
   * Makes the folders that are missing. The store owns `writers` and `digester` from here on.
   *
   * @param onLost is told of every upload whose written bytes the disk failed to keep.
   */
  static async open(folder: string, writers: Writers, digester: Digester, onLost: LossListener): Promise<DiskStore> {
    const store = new DiskStore(folder, writers, digester, onLost);
    await mkdir(store.#staging, FOLDER);
    await mkdir(store.#files, FOLDER);
    await syncFolder(folder);
    return store;
  }

  async create(upload: StagedUpload): Promise<void> {
    const handle = await open(this.#staged(upload.id), constants.O_RDWR | constants.O_CREAT, 0o600).catch(failStorage);
    try {
      await handle.truncate(upload.sizeBytes);
    } catch (error) {
      failStorage(error);
    } finally {
      await handle.close();
    }
  }

  async renew(upload: StagedUpload): Promise<void> {
    await this.#stagedFiles.close(upload.id, 'keep');
    await this.create(upload);
    this.#stagedFiles.forget(upload.id);
  }

  async openSink(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'> {
    const used = await this.#stagedFiles
      .use(upload)
      .catch((error: unknown) => (error instanceof BytesGone ? ('lost' as const) : failStorage(error)));
    if (used === 'lost') return 'lost';
    const { fd, release } = used;
    return this.#writers.open({
      fd,
      offset: extent.offset,
      onWritten: (bytes) => this.#flusher.noteWritten(upload.id, fd, bytes),
      room: () => this.#flusher.room(),
      onSettled: release,
    });
  }

  openHash(): PartSink {
    return this.#writers.open(null);
  }

  async hashExtent(uploadId: string, extent: Extent): Promise<Uint8Array> {
    return await this.#digester.hash(this.#staged(uploadId), extent);
  }

  noteArrived(upload: StagedUpload, prefixBytes: number, unverified: () => PartSelection | null = () => null): void {
    const path = this.#staged(upload.id);
    // A failure here shows when the digest is asked for.
    this.#digester.follow(upload.id, path, upload.sizeBytes, prefixBytes, unverified).catch(() => {});
    if (isMrcName(upload.filename)) this.#looker.follow(upload.id, this.#see(upload), prefixBytes);
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
    void this.#looker.forget(uploadId);
  }

  async publish(upload: StagedUpload, file: FilePlace): Promise<void> {
    const from = this.#staged(upload.id);
    const to = this.#published(file);
    // What a flush that is under way has to say is heard before the bytes are taken for safe.
    await this.#stagedFiles.close(upload.id, 'keep');
    const handle = await open(from, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') failStorage(error);
      return null;
    });
    if (!handle) {
      // The rename happened, and the process died before the record was made.
      if ((await this.statFile(file)) !== file.sizeBytes) {
        throw new BytesGone('The bytes of this upload are not in the storage.');
      }
      await this.#settle(upload, file);
      return;
    }
    try {
      const stats = await handle.stat({ bigint: true });
      if (stats.size !== BigInt(file.sizeBytes)) {
        throw new BytesGone(`The staging file has ${stats.size} bytes instead of ${file.sizeBytes}.`);
      }
      this.#stagedFiles.assertSame(upload.id, identityOf(stats));
      await handle.sync().catch(async (error: unknown) => {
        await this.#lose(upload.id);
        throw error;
      });
      await mkdir(join(this.#files, file.fileId), FOLDER);
      await rename(from, to);
    } catch (error) {
      failStorage(error);
    } finally {
      await handle.close();
    }
    await this.#settle(upload, file);
  }

  async withdraw(upload: StagedUpload, file: FilePlace): Promise<void> {
    if ((await this.statFile(file)) !== null) {
      // Before the rename: a server cut off between the two finds a file that it can write.
      await chmod(this.#published(file), 0o600).catch(failStorage);
      await rename(this.#published(file), this.#staged(upload.id)).catch(failStorage);
    }
    const isMoved = await rmdir(join(this.#files, file.fileId)).then(
      () => true,
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? false : failStorage(error)),
    );
    if (!isMoved) return;
    for (const folder of [this.#staging, this.#files]) await syncFolder(folder);
  }

  /** After the rename, also one that another process made: read-only, and there after a power loss. */
  async #settle(upload: StagedUpload, file: FilePlace): Promise<void> {
    this.#stagedFiles.forget(upload.id);
    await chmod(this.#published(file), 0o400).catch(failStorage);
    for (const folder of [join(this.#files, file.fileId), this.#files, this.#staging]) await syncFolder(folder);
    void this.#digester.forget(upload.id);
  }

  async discard(uploadId: string): Promise<void> {
    // The space is free only when nobody has the file open.
    await Promise.all([this.#digester.forget(uploadId), this.#looker.forget(uploadId)]);
    await this.#stagedFiles.close(uploadId, 'drop');
    // A folder may be in its place.
    await rm(this.#staged(uploadId), { recursive: true, force: true }).catch(failStorage);
    this.#stagedFiles.forget(uploadId);
  }

  async listStaged(): Promise<string[]> {
    return await readdir(this.#staging).catch(failStorage);
  }

  async readFile(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null> {
    const handle = await open(this.#published(file), 'r').catch(() => null);
    if (!handle) return null;
    if (range.end < range.start) {
      await handle.close();
      return null;
    }
    return createReadStream('', { fd: handle, ...range, highWaterMark: READ_BUFFER_BYTES });
  }

  async statFile(file: FilePlace): Promise<number | null> {
    return await stat(this.#published(file)).then(
      ({ size }) => size,
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? null : failStorage(error)),
    );
  }

  async digestFile(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    return await this.#digester.hashSlowly(this.#published(file), file.sizeBytes, pace);
  }

  async removeFile(fileId: string): Promise<void> {
    for (const folder of [this.#previews, this.#files]) {
      await rm(join(folder, fileId), { recursive: true, force: true }).catch(failStorage);
    }
  }

  async listFiles(): Promise<string[]> {
    return await readdir(this.#files).catch(failStorage);
  }

  locate(file: FilePlace): string {
    return pathToFileURL(this.#published(file)).href;
  }

  async survey(uploadId: string, file: FilePlace, signal: AbortSignal): Promise<Surveyed | null> {
    return await this.#looker.survey(uploadId, this.#see(file), signal);
  }

  async render(of: StagedUpload | FilePlace, request: PreviewRequest): Promise<Rendered> {
    return await this.#looker.render(this.#see(of), request);
  }

  async keepPreview(fileId: string, name: string, png: Uint8Array): Promise<void> {
    const path = this.#preview(fileId, name);
    await mkdir(join(this.#previews, fileId), FOLDER).catch(failStorage);
    // Whole or not there. After a power loss it may be empty, and is drawn again.
    await writeFile(`${path}.new`, png, { mode: 0o600 }).catch(failStorage);
    await rename(`${path}.new`, path).catch(failStorage);
  }

  async readPreview(fileId: string, name: string): Promise<Uint8Array | null> {
    const png = await readFile(this.#preview(fileId, name)).catch(() => null);
    return png && png.length > 0 ? png : null;
  }

  async space(): Promise<{ freeBytes: number; sizeBytes: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#staging).catch(failStorage);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  }

  async close(): Promise<void> {
    // Writers first: a descriptor must not be closed, and its number reused, under a write.
    await Promise.all([this.#writers.close(), this.#digester.close(), this.#looker.close()]);
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
  #see(of: StagedUpload | FilePlace): Seen {
    const path = 'fileId' in of ? this.#published(of) : this.#staged(of.id);
    return { path, sizeBytes: of.sizeBytes, filename: of.filename };
  }

  /**
   * The disk did not keep what was written. The page cache still shows it, to this process and to the next one, so that no
   * digest can tell what is missing: the staging file goes at once, whatever becomes of the process and the database.
   */
  async #lose(uploadId: string): Promise<void> {
    this.#onLost(uploadId);
    // Who is told discards the upload, and tries that again until it is done.
    await rm(this.#staged(uploadId), { force: true }).catch(() => {});
  }
}

/** Makes a rename or a new name in `path` survive power loss. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(failStorage);
  try {
    await handle.sync().catch(failStorage);
  } finally {
    await handle.close();
  }
}

function failStorage(error: unknown): never {
  if (error instanceof UploadError) throw error;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    throw new UploadError('insufficient_storage', 'The storage is full.', { cause: error });
  }
  throw new UploadError('storage_unavailable', `The storage does not answer (${code}).`, { cause: error });
}
