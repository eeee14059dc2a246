/**
 * The store on a local file system: one folder with `staging/` and `files/` on one file system, so that a publish is a
 * rename. Parts are written in place into one sparse file per upload.
 */
import { constants, createReadStream, fstatSync } from 'node:fs';
import {
  chmod,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { isMrcName, type PreviewRequest } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Digester } from './digester.ts';
import { Flusher } from './flusher.ts';
import type { Seen } from './look-message.ts';
import { Looker } from './looker.ts';
import {
  BytesGone,
  type Extent,
  type FilePlace,
  type PartSink,
  type PartStore,
  type Rendered,
  type StagedUpload,
  type Surveyed,
} from './store.ts';
import type { Writers } from './writers.ts';

const READ_BUFFER_BYTES = 256 * 1024;

/** How long a staging file stays open with no part under way: long enough to see a whole upload through. */
const KEEP_OPEN_MS = 10_000;

/** For the server's user alone. */
const FOLDER = { recursive: true, mode: 0o700 };

type LossListener = (uploadId: string) => void;

/** A staging file that parts are being written into. */
interface OpenFile {
  handle: Promise<FileHandle>;
  users: number;
  closing: NodeJS.Timeout | undefined;
  closed: boolean;
}

export class DiskStore implements PartStore {
  readonly #staging: string;
  readonly #files: string;
  readonly #previews: string;
  readonly #writers: Writers;
  readonly #digester: Digester;
  readonly #looker: Looker;
  readonly #flusher: Flusher;
  readonly #onLost: LossListener;
  readonly #open = new Map<string, OpenFile>();

  private constructor(folder: string, writers: Writers, digester: Digester, onLost: LossListener) {
    this.#staging = join(folder, 'staging');
    this.#files = join(folder, 'files');
    this.#previews = join(folder, 'previews');
    this.#writers = writers;
    this.#digester = digester;
    this.#looker = new Looker(digester.working);
    this.#onLost = onLost;
    this.#flusher = new Flusher(onLost);
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

  async openSink(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'> {
    const file = this.#use(upload);
    let handle: FileHandle;
    try {
      handle = await file.handle;
    } catch (error) {
      if (this.#open.get(upload.id) === file) this.#open.delete(upload.id);
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') failStorage(error);
      if (!upload.empty) return 'lost';
      await this.create(upload);
      return await this.openSink(upload, extent);
    }
    if (fstatSync(handle.fd).nlink === 0) {
      // Removed behind our back: what is written there now would never be seen again.
      if (this.#open.get(upload.id) === file) this.#open.delete(upload.id);
      this.#release(upload.id, file);
      return 'lost';
    }
    const fd = handle.fd;
    return this.#writers.open({
      fd,
      offset: extent.offset,
      onWritten: (bytes) => this.#flusher.noteWritten(upload.id, fd, bytes),
      room: () => this.#flusher.room(),
      onSettled: () => this.#release(upload.id, file),
    });
  }

  openHash(): PartSink {
    return this.#writers.open(null);
  }

  async hashExtent(uploadId: string, extent: Extent): Promise<Uint8Array> {
    return await this.#digester.hash(this.#staged(uploadId), extent);
  }

  noteArrived(upload: StagedUpload, prefixBytes: number): void {
    // A failure here shows when the digest is asked for.
    this.#digester.follow(upload.id, this.#staged(upload.id), upload.sizeBytes, prefixBytes).catch(() => {});
    if (isMrcName(upload.filename)) this.#looker.follow(upload.id, this.#see(upload), prefixBytes);
  }

  async catchUpDigest(uploadId: string, slackBytes: number): Promise<void> {
    await this.#digester.catchUp(uploadId, slackBytes);
  }

  async digestWhole(upload: StagedUpload, file: FilePlace): Promise<Uint8Array> {
    // A publish that was cut off after its rename has moved the bytes already.
    const path = (await this.statFile(file)) === null ? this.#staged(upload.id) : this.#published(file);
    return await this.#digester.follow(upload.id, path, upload.sizeBytes, upload.sizeBytes);
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
      const { size } = await handle.stat();
      if (size !== file.sizeBytes) {
        throw new UploadError(
          'storage_unavailable',
          `The staging file has ${size} bytes instead of ${file.sizeBytes}.`,
        );
      }
      await handle.sync().catch((error: unknown) => {
        this.#onLost(upload.id);
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

  /** After the rename, also one that another process made: read-only, and there after a power loss. */
  async #settle(upload: StagedUpload, file: FilePlace): Promise<void> {
    await this.#shut(upload.id);
    await chmod(this.#published(file), 0o400).catch(failStorage);
    for (const folder of [join(this.#files, file.fileId), this.#files, this.#staging]) await syncFolder(folder);
    void this.#digester.forget(upload.id);
  }

  async discard(uploadId: string): Promise<void> {
    // The space is free only when nobody has the file open.
    await Promise.all([this.#digester.forget(uploadId), this.#looker.forget(uploadId)]);
    await this.#shut(uploadId);
    await rm(this.#staged(uploadId), { force: true }).catch(failStorage);
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
      () => null,
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
    // Not under a flush either: its failure would be taken for a disk that lost what it was given.
    await Promise.all([...this.#open].map(([uploadId, file]) => this.#close(uploadId, file)));
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

  /** One descriptor per upload, shared by its parts. */
  #use(upload: StagedUpload): OpenFile {
    let file = this.#open.get(upload.id);
    if (!file) {
      file = { handle: open(this.#staged(upload.id), constants.O_RDWR), users: 0, closing: undefined, closed: false };
      this.#open.set(upload.id, file);
    }
    clearTimeout(file.closing);
    file.users++;
    return file;
  }

  #release(uploadId: string, file: OpenFile): void {
    if (--file.users > 0 || file.closed) return;
    file.closing = setTimeout(() => this.#close(uploadId, file), KEEP_OPEN_MS).unref();
  }

  /** Closes the descriptor of an upload; the caller owes that no sink of it is open. */
  async #shut(uploadId: string): Promise<void> {
    const file = this.#open.get(uploadId);
    if (file) await this.#close(uploadId, file);
  }

  /** Closes this very file: after a loss the upload may have another one open by now. */
  async #close(uploadId: string, file: OpenFile): Promise<void> {
    if (this.#open.get(uploadId) === file) this.#open.delete(uploadId);
    clearTimeout(file.closing);
    file.closed = true;
    // Whoever wanted it to be opened was told why it was not.
    const handle = await file.handle.catch(() => null);
    if (!handle) return;
    await this.#flusher.forget(handle.fd);
    await handle.close();
  }
}

/** Makes a rename or a new name in `path` survive power loss. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(failStorage);
  try {
    await handle.sync();
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
