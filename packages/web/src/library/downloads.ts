/**
 * Downloads. A link cannot carry the token, so the page fetches the parts, hashes each of them, and compares the digest of
 * all part digests with the record. It writes each part to disk when it arrives: to the place that the user chose, or, in a
 * browser without a save dialog, to the private file system of the page, from where the browser saves the file. Memory holds
 * a few parts, independent of the file size.
 */
import { type Api, ConnectionError, ServerError, SourceError, sleep } from '@cryolift/client';
import { toHex } from '@cryolift/protocol/digest';
import type { FileRecord } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import { saveFile } from './save-file.ts';

/** Parts at a time. A part is held in memory, so parts above LARGE_BYTES are fetched one at a time. */
const PARALLEL = 3;
const LARGE_BYTES = 32 * 1024 * 1024;
const MAX_ATTEMPTS = 5;
const WAIT_MS = 1_000;
const FOLDER = 'downloads';
const FOLDER_LOCK = 'cryolift-downloads';

export type Download =
  | { readonly kind: 'running'; readonly doneBytes: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Target {
  readonly handle: FileSystemFileHandle;
  /** Saves the finished file under its name, where `handle` is a temporary file. */
  finish(): Promise<void>;
  /** Removes what was made for a download that failed. */
  discard?(): Promise<void>;
}

/** Files that were started together. */
export interface Batch {
  readonly total: number;
  readonly done: number;
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
  readonly isRunning: boolean;
}

export class Downloads {
  /** By file id. */
  readonly all = new Cell<ReadonlyMap<string, Download>>(new Map());
  /** The files that were started together last; null: none, or the user has seen the result. */
  readonly batch = new Cell<Batch | null>(null);
  readonly #api: Api;
  readonly #running = new Map<string, AbortController>();

  constructor(api: Api) {
    this.#api = api;
    void removeLeftovers();
  }

  /**
   * Downloads one file after the other, into a folder that the user chooses if the browser can ask for one. Call it from a
   * click handler.
   */
  async startAll(files: readonly (FileRecord | Promise<FileRecord>)[]): Promise<void> {
    if (this.batch.value?.isRunning) return;
    // They are needed only when their turn comes.
    for (const file of files) Promise.resolve(file).catch(() => {});
    const folder = await chooseFolder();
    if (folder === 'closed') return;
    const failed: { name: string; error: unknown }[] = [];
    const set = (done: number, isRunning: boolean) =>
      this.batch.set({ total: files.length, done, failed: [...failed], isRunning });
    let done = 0;
    set(done, true);
    for (const each of files) {
      let name = '';
      try {
        const file = await each;
        name = file.filename;
        await this.start(file, folder);
        const end = this.all.value.get(file.file_id);
        if (end?.kind === 'failed') throw end.error;
        if (end?.kind === 'done') done++;
      } catch (error) {
        failed.push({ name, error });
      }
      // The user has stopped it.
      if (!this.batch.value) return;
      set(done, true);
    }
    set(done, false);
  }

  /** Stops what is left of the files that were started together, and forgets their result. */
  endBatch(): void {
    const isRunning = this.batch.value?.isRunning;
    this.batch.set(null);
    if (isRunning) for (const controller of this.#running.values()) controller.abort();
  }

  /**
   * Call it from a click handler: the browser shows its save dialog.
   *
   * @param folder that the user has chosen; null: ask for a place.
   */
  async start(file: FileRecord, folder: FileSystemDirectoryHandle | null = null): Promise<void> {
    const { file_id: fileId } = file;
    if (this.#running.has(fileId)) return;
    const controller = new AbortController();
    this.#running.set(fileId, controller);
    try {
      const target = folder ? await placeIn(folder, file) : await chooseTarget(file);
      // The user may have signed out while the dialog was open.
      if (!target || controller.signal.aborted) return;
      this.#set(fileId, { kind: 'running', doneBytes: 0 });
      const writable = await target.handle.createWritable();
      try {
        await this.#fetchParts(file, writable, controller.signal);
        controller.signal.throwIfAborted();
        await writable.close();
      } catch (error) {
        await writable.abort().catch(() => {});
        await target.discard?.();
        throw error;
      }
      await target.finish();
      this.#set(fileId, { kind: 'done' });
    } catch (error) {
      this.#set(fileId, controller.signal.aborted ? null : { kind: 'failed', error });
    } finally {
      this.#running.delete(fileId);
    }
  }

  stop(fileId: string): void {
    this.#running.get(fileId)?.abort();
  }

  stopAll(): void {
    this.batch.set(null);
    for (const controller of this.#running.values()) controller.abort();
    this.all.set(new Map());
  }

  async #fetchParts(file: FileRecord, writable: FileSystemWritableFileStream, signal: AbortSignal): Promise<void> {
    const digests = new Uint8Array(file.part_count * 32);
    let next = 0;
    let doneBytes = 0;
    const fetchNext = async () => {
      while (next < file.part_count) {
        const idx = next++;
        const { offset, length } = partExtent(file.size, file.part_size, idx);
        const bytes = await this.#fetchPart(file, offset, length, signal);
        digests.set(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), idx * 32);
        await writable.write({ type: 'write', position: offset, data: bytes });
        doneBytes += length;
        signal.throwIfAborted();
        this.#set(file.file_id, { kind: 'running', doneBytes });
      }
    };
    const parallel = file.part_size > LARGE_BYTES ? 1 : PARALLEL;
    await Promise.all(Array.from({ length: parallel }, fetchNext)).finally(() => {
      // After a failure the others stop, too.
      next = file.part_count;
    });
    const joined = new Uint8Array(await crypto.subtle.digest('SHA-256', digests));
    if (toHex(joined) !== file.parts_sha256) {
      throw new SourceError('integrity', texts.files.damaged, texts.files.damagedHint);
    }
  }

  async #fetchPart(file: FileRecord, offset: number, length: number, signal: AbortSignal) {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const bytes = await this.#api.content(
          file.file_id,
          offset,
          offset + length - 1,
          `"${file.sha256 ?? file.parts_sha256}"`,
          {
            signal,
          },
        );
        return bytes as Uint8Array<ArrayBuffer>;
      } catch (error) {
        signal.throwIfAborted();
        const isRetryable = error instanceof ConnectionError || (error instanceof ServerError && error.retryable);
        if (!isRetryable || attempt === MAX_ATTEMPTS) throw error;
        await sleep(WAIT_MS * 2 ** attempt, signal);
      }
    }
  }

  #set(fileId: string, download: Download | null): void {
    const all = new Map(this.all.value);
    if (download) all.set(fileId, download);
    else all.delete(fileId);
    this.all.set(all);
  }
}

/** Null: this browser has no such dialog. */
async function chooseFolder(): Promise<FileSystemDirectoryHandle | 'closed' | null> {
  if (!window.showDirectoryPicker) return null;
  return await window.showDirectoryPicker({ mode: 'readwrite' }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') return 'closed' as const;
    throw error;
  });
}

/** A new file in a folder: what is there is not replaced. */
async function placeIn(folder: FileSystemDirectoryHandle, { filename }: FileRecord): Promise<Target> {
  const at = filename.lastIndexOf('.') > 0 ? filename.lastIndexOf('.') : filename.length;
  for (let copy = 1; ; copy++) {
    const name = copy === 1 ? filename : `${filename.slice(0, at)} (${copy})${filename.slice(at)}`;
    const isTaken = await folder.getFileHandle(name).then(
      () => true,
      (error: unknown) => {
        if (error instanceof DOMException && error.name === 'NotFoundError') return false;
        throw error;
      },
    );
    if (isTaken) continue;
    const handle = await folder.getFileHandle(name, { create: true });
    return { handle, finish: async () => {}, discard: () => folder.removeEntry(name).catch(() => {}) };
  }
}

/** Null when the user closed the dialog. */
async function chooseTarget({ filename, file_id }: FileRecord): Promise<Target | null> {
  if (window.showSaveFilePicker) {
    const handle = await window.showSaveFilePicker({ suggestedName: filename }).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') return null;
      throw error;
    });
    return handle && { handle, finish: async () => {} };
  }
  holdFolder();
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  const handle = await folder.getFileHandle(`${file_id}-${crypto.randomUUID()}`, { create: true });
  return { handle, finish: async () => saveFile(await handle.getFile(), filename) };
}

/** Holds the lock of the folder as long as this page is open. */
function holdFolder(): void {
  void navigator.locks?.request(FOLDER_LOCK, { mode: 'shared' }, () => new Promise(() => {}));
}

/** Removes temporary files at the next visit: the browser does not report when it has saved a file. */
async function removeLeftovers(): Promise<void> {
  const remove = async () => {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(FOLDER, { recursive: true });
  };
  // Another tab may be downloading.
  await navigator.locks?.request(FOLDER_LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await remove().catch(() => {});
  });
}
