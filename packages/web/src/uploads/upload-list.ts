/** The uploads of this page: outside React, so that they go on whatever is shown. */
import { Patience, ServerError, type Uploader } from '@cryolift/client';
import { BlobSource, type FileHandle, type IndexedDbMemory } from '@cryolift/client/browser';
import type { FileRecord, Limits, Session } from '@cryolift/protocol/messages';
import { Cell } from '../cell.ts';
import type { FoundFile } from './found-files.ts';
import { checkHeader } from './header-check.ts';
import { Rate } from './rate.ts';
import { arrivedInSession, arrivedOf, isActive, type Upload } from './upload.ts';

/** Files at a time. They share the connections; several hide what a small one waits for. */
const ACTIVE = 3;
/** The page is told at most this often, milliseconds. */
const TELL_MS = 100;
/** Whoever gives an upload up waits for it no longer than this. */
const CANCEL_MS = 30_000;
/** Sessions that can still be gone on with. */
const OPEN: readonly Session['status'][] = ['pending', 'uploading'];

export interface UploadListOptions {
  readonly uploader: Uploader;
  readonly memory: IndexedDbMemory;
  /** As the memory knows it. */
  readonly server: string;
  /** Null when they are not to be had. */
  getLimits(): Promise<Limits | null>;
  onDone(file: FileRecord): void;
}

/** What belongs to an upload and is not shown. */
interface Work {
  source: BlobSource | null;
  handle: FileHandle | null;
  /** Whose upload it is remembered as; null until it runs. */
  owner: string | null;
  force: boolean;
  restart: boolean;
  controller: AbortController | null;
  /** Settles, and never fails, once the last run has ended. */
  running: Promise<void>;
  readonly rate: Rate;
}

export class UploadList {
  /** In the order in which they were given; told anew at most ten times a second. */
  readonly uploads = new Cell<readonly Upload[]>([]);
  /** Bytes per second of all of them together. */
  readonly rate = new Rate();
  readonly #options: UploadListOptions;
  readonly #uploads = new Map<string, Upload>();
  readonly #work = new Map<string, Work>();
  #sentBytes = 0;
  #running = 0;
  #telling: ReturnType<typeof setTimeout> | null = null;

  constructor(options: UploadListOptions) {
    this.#options = options;
  }

  /** Adds files; one that is there already goes on, if it had stopped. */
  async add(found: readonly FoundFile[]): Promise<void> {
    const limits = await this.#options.getLimits();
    const given = new Set<string>();
    const adding: Promise<void>[] = [];
    for (const each of found) {
      const key = await this.#chooseKey(each, given);
      given.add(key);
      adding.push(this.#addOne(key, each, limits));
    }
    await Promise.all(adding);
  }

  /** @param given keys of files that were given at the same time: those are others. */
  async #chooseKey({ file, path, handle }: FoundFile, given: ReadonlySet<string>): Promise<string> {
    const away = this.#findAway(file, given);
    if (away !== null) return away;
    for (let copy = 1; ; copy++) {
      const key = keyOf(file, path, copy);
      if (!given.has(key) && !(await this.#isOther(key, handle))) return key;
    }
  }

  /** The file of this upload may be another one that looks like it: then it has a row of its own. */
  async #isOther(key: string, handle: FileHandle | null): Promise<boolean> {
    const upload = this.#uploads.get(key);
    const before = this.#work.get(key)?.handle;
    if (!upload) return false;
    const isSame =
      handle && before ? await handle.isSameEntry?.(before as FileSystemFileHandle).catch(() => undefined) : undefined;
    // Where the browser cannot tell, two uploads of one file are better than one of two.
    return isSame === undefined ? isActive(upload) || upload.state === 'ending' : !isSame;
  }

  async #addOne(key: string, { file, path, handle }: FoundFile, limits: Limits | null): Promise<void> {
    const before = this.#uploads.get(key);
    if (before && (isActive(before) || before.state === 'ending')) return;
    const source = new BlobSource(file, { location: key, handle: handle ?? undefined });
    const rate = this.#work.get(key)?.rate ?? new Rate();
    this.#work.set(key, {
      source,
      handle,
      owner: this.#work.get(key)?.owner ?? null,
      force: false,
      restart: false,
      controller: null,
      running: Promise.resolve(),
      rate,
    });
    const goesOn = before?.state === 'paused' || before?.state === 'away' || before?.state === 'failed';
    const checking: Upload = {
      key,
      name: file.name,
      path: before?.path ?? path,
      sizeBytes: file.size,
      state: 'checking',
      check: null,
      arrived: goesOn ? before.arrived : null,
      progress: null,
      bytesPerSecond: 0,
      error: null,
      hadOther: false,
      file: null,
      hasHandle: handle !== null,
    };
    this.#put(checking);
    const check = await checkHeader(file, limits).catch(() => null);
    this.#change(key, { check, state: check && check.refusals.length > 0 && !goesOn ? 'refused' : 'queued' });
    this.#startNext();
  }

  /** An upload from before the page was loaded anew, of the same file wherever it was dropped from. */
  #findAway(file: File, given: ReadonlySet<string>): string | null {
    const same = (key: string) => !given.has(key) && key.endsWith(keyEnd(file));
    return [...this.#uploads.values()].find(({ state, key }) => state === 'away' && same(key))?.key ?? null;
  }

  /** Puts uploads there that were begun before the page was loaded anew, but those that another tab goes on with. */
  async restore(): Promise<void> {
    const { uploader, memory, server } = this.#options;
    const held = await locksHeld();
    const owner = await uploader.api.owner().catch((error: unknown) => {
      // This token may not upload.
      if (error instanceof ServerError) return null;
      throw error;
    });
    if (owner === null) return;
    for (const { location: key, uploadId, sizeBytes, handle } of await memory.all(server, owner)) {
      if (held.has(lockOf(key)) || this.#uploads.has(key)) continue;
      const session = await uploader.api.session(uploadId).catch((error: unknown) => {
        // Somebody else's, or long gone.
        if (error instanceof ServerError) return null;
        throw error;
      });
      if (session && !OPEN.includes(session.status)) await memory.forget({ server, owner, location: key });
      if (!session || !OPEN.includes(session.status) || this.#uploads.has(key)) continue;
      this.#work.set(key, {
        source: null,
        handle,
        owner,
        // It was taken before.
        force: true,
        restart: false,
        controller: null,
        running: Promise.resolve(),
        rate: new Rate(),
      });
      this.#put({
        key,
        name: session.filename,
        path: session.metadata.path ?? null,
        sizeBytes,
        state: 'away',
        check: { mrc: session.mrc, refusals: [], canForce: false, warnings: session.warnings },
        arrived: arrivedInSession(session),
        progress: null,
        bytesPerSecond: 0,
        error: null,
        hadOther: false,
        file: null,
        hasHandle: handle !== null,
      });
    }
  }

  pause(key: string): void {
    const upload = this.#uploads.get(key);
    if (!upload || !isActive(upload)) return;
    this.#work.get(key)?.controller?.abort(new DOMException('paused', 'AbortError'));
    this.#change(key, { state: 'paused', bytesPerSecond: 0 });
    this.#startNext();
  }

  /** Goes on with what was paused, failed or, with a handle, was begun before the page was loaded anew. Call it from a click. */
  async resume(key: string): Promise<void> {
    const work = this.#work.get(key);
    if (!work) return;
    try {
      if (!work.source && work.handle) work.source = await BlobSource.fromHandle(work.handle, key);
    } catch (error) {
      this.#change(key, { state: 'failed', error });
    }
    if (!work.source) return;
    this.#change(key, { state: 'queued', error: null });
    this.#startNext();
  }

  /** Sends a file that the server would refuse for its header. */
  force(key: string): void {
    this.#restartWith(key, { force: true });
  }

  /** Throws away what the server has of another content, and begins from the first byte. */
  startAnew(key: string): void {
    this.#restartWith(key, { restart: true });
  }

  pauseAll(): void {
    for (const { key } of [...this.#uploads.values()].reverse()) this.pause(key);
  }

  /** Call it from a click. */
  resumeAll(): void {
    for (const { key, state } of this.#uploads.values()) {
      if (state === 'paused' || state === 'away') void this.resume(key);
    }
  }

  /** Gives an upload up: what arrived is thrown away. */
  async cancel(key: string): Promise<void> {
    const { memory, server } = this.#options;
    const work = this.#work.get(key);
    this.#change(key, { state: 'ending', bytesPerSecond: 0 });
    work?.controller?.abort(new DOMException('cancelled', 'AbortError'));
    try {
      // Only then is nothing remembered of it any more.
      await work?.running;
      const uploadId = this.#uploads.get(key)?.arrived?.uploadId;
      if (uploadId !== undefined) await this.#cancelSession(uploadId);
      if (work?.owner != null) await memory.forget({ server, owner: work.owner, location: key });
      this.remove(key);
    } catch (error) {
      this.#change(key, { state: 'failed', error });
    }
    this.#startNext();
  }

  /** Repeats what is safe to repeat: the connections of the parts that were given up are just being torn down. */
  async #cancelSession(uploadId: string): Promise<void> {
    try {
      await new Patience(CANCEL_MS).retry(() => this.#options.uploader.api.cancel(uploadId));
    } catch (error) {
      if (!(error instanceof ServerError && error.code === 'upload_not_found')) throw error;
    }
  }

  /** Takes an upload that has ended out of the list. */
  remove(key: string): void {
    this.#uploads.delete(key);
    this.#work.delete(key);
    this.#tell();
  }

  removeDone(): void {
    for (const { key, state } of [...this.#uploads.values()]) if (state === 'done') this.remove(key);
  }

  #restartWith(key: string, change: Partial<Work>): void {
    const work = this.#work.get(key);
    if (!work?.source) return;
    Object.assign(work, change);
    this.#change(key, { state: 'queued', error: null });
    this.#startNext();
  }

  #startNext(): void {
    for (const { key, state } of this.#uploads.values()) {
      if (this.#running >= ACTIVE) return;
      const work = this.#work.get(key);
      // A run that still ends comes back here when it has.
      if (state !== 'queued' || !work?.source || work.controller) continue;
      this.#change(key, { state: 'running' });
      work.running = this.#run(key, work, work.source);
    }
  }

  async #run(key: string, work: Work, source: BlobSource): Promise<void> {
    const { uploader, memory, server, onDone } = this.#options;
    const controller = new AbortController();
    work.controller = controller;
    this.#running++;
    try {
      const owner = await new Patience().retry(() => uploader.api.owner(), controller.signal);
      work.owner = owner;
      if (work.handle) await memory.keepHandle({ server, owner, location: key }, work.handle);
      const path = this.#uploads.get(key)?.path ?? null;
      let sentBytes = 0;
      const file = await withLock(lockOf(key), controller.signal, () =>
        uploader.upload(source, {
          signal: controller.signal,
          force: work.force,
          restart: work.restart,
          ...(path === null ? {} : { metadata: { path: path.normalize('NFC') } }),
          // What arrived is not this file's: neither to be shown here, nor to be cancelled.
          onNotice: ({ kind }) => kind === 'other_file' && this.#change(key, { hadOther: true, arrived: null }),
          onProgress: (progress) => {
            work.rate.note(progress.sentBytes);
            this.#sentBytes += progress.sentBytes - sentBytes;
            sentBytes = progress.sentBytes;
            this.rate.note(this.#sentBytes);
            const bytesPerSecond = controller.signal.aborted ? 0 : work.rate.bytesPerSecond;
            const arrived = arrivedOf(progress) ?? this.#uploads.get(key)?.arrived ?? null;
            this.#change(key, { progress, bytesPerSecond, arrived });
          },
        }),
      );
      this.#change(key, { state: 'done', file, bytesPerSecond: 0 });
      onDone(file);
    } catch (error) {
      if (!controller.signal.aborted) this.#change(key, { state: 'failed', error, bytesPerSecond: 0 });
    } finally {
      work.controller = null;
      work.restart = false;
      this.#running--;
      this.#startNext();
    }
  }

  #put(upload: Upload): void {
    this.#uploads.set(upload.key, upload);
    this.#tell();
  }

  #change(key: string, change: Partial<Upload>): void {
    const upload = this.#uploads.get(key);
    if (upload) this.#put({ ...upload, ...change });
  }

  /** A timer and not an animation frame, of which a hidden tab has none. */
  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = null;
      this.uploads.set([...this.#uploads.values()]);
    }, TELL_MS);
  }
}

/** @param copy from 1, of files that look alike. */
function keyOf(file: File, path: string | null, copy: number): string {
  return `${path ?? file.name}${copy === 1 ? '' : ` #${copy}`}${keyEnd(file)}`;
}

function keyEnd(file: File): string {
  const name = file.name;
  return ` (${name}, ${file.size} bytes, ${file.lastModified})`;
}

function lockOf(key: string): string {
  return `cryolift-upload ${key}`;
}

async function locksHeld(): Promise<Set<string | undefined>> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(held.map(({ name }) => name));
}

/** Other tabs leave alone what this one uploads. Two that were told to upload the same file take turns. */
async function withLock<Result>(name: string, signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
  return navigator.locks ? await navigator.locks.request(name, { signal }, act) : await act();
}
