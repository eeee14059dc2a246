/** The uploads of one subject in this page: outside React, so that they go on whatever is shown. */
import { Rate, RetryPolicy, ServerError, type Uploader } from '@cryolift/client';
import { BlobSource, type FileHandle, type IndexedDbResumeStore } from '@cryolift/client/browser';
import type { FileRecord, Limits } from '@cryolift/protocol/messages';
import { isLockHeld, withLock } from '../locks.ts';
import type { FoundFile } from './found-files.ts';
import { checkHeader } from './header-check.ts';
import { restoreUploads } from './restore.ts';
import { arrivedOf, isActive, keyOfFile, newUpload, withoutPath } from './upload.ts';
import { type Entry, UploadEntries } from './upload-entries.ts';

/** Files at a time. They share the connections; several hide what a small one waits for. */
const ACTIVE = 3;
/** Whoever cancels an upload waits for it no longer than this. */
const CANCEL_MS = 30_000;

export interface UploadListOptions {
  /** Whose uploads they are. */
  readonly subjectKey: string;
  readonly uploader: Uploader;
  readonly resumeStore: IndexedDbResumeStore;
  /** The name that the memory knows this server and this subject by. */
  readonly server: string;
  readonly owner: string;
  /** Null when they are not to be had. */
  getLimits(): Promise<Limits | null>;
  onDone(file: FileRecord): void;
}

export class UploadList {
  readonly #entries = new UploadEntries();
  /** In the order in which they were given; told anew at most ten times a second. */
  readonly uploads = this.#entries.uploads;
  /** Bytes per second of all of them together. */
  readonly rate = new Rate();
  readonly #options: UploadListOptions;
  #sentBytes = 0;
  #running = 0;
  /** Its owner is signed in. */
  #isOpen = false;

  constructor(options: UploadListOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Files that would be lost with the page: under way, or waiting. */
  get unfinishedCount(): number {
    const kept = ['done', 'refused', 'away'];
    return this.#entries.all().filter(({ upload }) => !kept.includes(upload.state)).length;
  }

  /** Its owner has signed in: what waited goes on, what was begun before the page was loaded anew is there again. */
  open(): void {
    this.#isOpen = true;
    this.#startNext();
    const { uploader, resumeStore, server, owner } = this.#options;
    void restoreUploads({
      api: uploader.api,
      resumeStore,
      server,
      owner,
      isTaken: async (key) => this.#entries.has(key) || (await isLockHeld(this.#lockOf(key))),
      add: (key, uploadId, handle) => {
        if (this.#entries.has(key)) return null;
        // The server took the file before, with this header.
        const known = { uploadId, handle, isChecked: true, isAccepted: true, force: true };
        return this.#entries.put(newUpload(key, 'away', handle !== null), known);
      },
      note: (entry, change) => {
        if (entry.upload.state === 'away') this.#entries.note(entry, change);
      },
      remove: (entry) => entry.upload.state === 'away' && this.#entries.drop(entry),
    });
  }

  /** Its owner has signed out: nothing is sent until they sign in again. */
  close(): void {
    this.#isOpen = false;
    for (const entry of this.#entries.all()) {
      if (!this.#entries.move(entry, 'wait', { bytesPerSecond: 0 })) continue;
      entry.controller?.abort(new DOMException('signed out', 'AbortError'));
    }
  }

  /** Adds files; one that is there already goes on, if it had stopped. */
  async add(found: readonly FoundFile[]): Promise<void> {
    const limits = this.#options.getLimits();
    // Of the same file, wherever it was dropped from.
    const away = Map.groupBy(
      this.#entries
        .all()
        .filter(({ upload }) => upload.state === 'away')
        .map(({ upload }) => upload.key),
      withoutPath,
    );
    const given = new Set<string>();
    const adding: Promise<void>[] = [];
    for (const each of found) {
      const key = await this.#chooseKey(each, away, given);
      given.add(key);
      adding.push(this.#addOne(each, key, limits));
    }
    await Promise.all(adding);
  }

  /** @param given keys of files that were given at the same time: those are others. */
  async #chooseKey(
    { file, path, handle }: FoundFile,
    away: ReadonlyMap<string, readonly string[]>,
    given: ReadonlySet<string>,
  ): Promise<string> {
    const own = keyOfFile(file, path);
    if (!this.#entries.has(own) || given.has(own)) {
      const isAway = (key: string) => !given.has(key) && this.#entries.get(key)?.upload.state === 'away';
      const other = away.get(withoutPath(own))?.find(isAway);
      if (other !== undefined) return other;
    }
    for (let copy = 1; ; copy++) {
      const key = keyOfFile(file, path, copy);
      if (!given.has(key) && !(await this.#isOther(key, handle))) return key;
    }
  }

  /** The file of this upload may be another one that looks like it: then it has a row of its own. */
  async #isOther(key: string, handle: FileHandle | null): Promise<boolean> {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    const { upload, handle: before } = entry;
    const isSame =
      handle && before ? await handle.isSameEntry?.(before as FileSystemFileHandle).catch(() => undefined) : undefined;
    // Where the browser cannot tell, two uploads of one file are better than one of two.
    return isSame === undefined ? isActive(upload) || upload.state === 'ending' : !isSame;
  }

  async #addOne({ file, handle }: FoundFile, key: string, limits: Promise<Limits | null>): Promise<void> {
    const before = this.#entries.get(key);
    const state = before?.upload.state;
    if (before && (isActive(before.upload) || state === 'ending')) return;
    const goesOn = state === 'paused' || state === 'away' || state === 'failed';
    const entry = this.#entries.put(
      { ...newUpload(key, 'checking', handle !== null), arrived: goesOn ? (before?.upload.arrived ?? null) : null },
      {
        source: new BlobSource(file, { location: key, handle: handle ?? undefined }),
        handle,
        uploadId: goesOn ? (before?.uploadId ?? null) : null,
        isAccepted: goesOn,
        running: before?.running ?? Promise.resolve(),
        rate: before?.rate ?? new Rate(),
      },
    );
    await this.#check(entry, file, limits);
  }

  async #check(entry: Entry, file: File, limits: Promise<Limits | null>): Promise<void> {
    const check = await checkHeader(file, await limits).catch(() => null);
    this.#entries.note(entry, { check });
    entry.isChecked = true;
    this.#settle(entry);
  }

  /** What is being checked is queued or refused, once its header was read. Nothing happens to what was stopped meanwhile. */
  #settle(entry: Entry): void {
    if (!entry.isChecked) return;
    const refusals = entry.upload.check?.refusals ?? [];
    this.#entries.move(entry, entry.isAccepted || refusals.length === 0 ? 'accept' : 'refuse');
    this.#startNext();
  }

  pause(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry || !this.#entries.move(entry, 'pause', { bytesPerSecond: 0 })) return;
    entry.controller?.abort(new DOMException('paused', 'AbortError'));
    this.#startNext();
  }

  /** Goes on with what was paused, failed or, with a handle, was begun before the page was loaded anew. Call it from a click. */
  async resume(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    const { state } = entry.upload;
    try {
      if (!entry.source && entry.handle) entry.source = await BlobSource.fromHandle(entry.handle, key);
    } catch (error) {
      if (entry.upload.state === state) this.#entries.move(entry, 'fail', { error });
    }
    // It may have been cancelled while the browser asked for permission.
    if (entry.source && entry.upload.state === state) this.#go(entry);
  }

  /** Sends a file that the server would refuse for its header. */
  force(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.force = true;
    entry.isAccepted = true;
    this.#go(entry);
  }

  /** Throws away what the server has of another content, and begins from the first byte. Call it from a click. */
  async startAnew(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    const { state } = entry.upload;
    const limits = this.#options.getLimits();
    try {
      // The file that was chosen is as it was then, and cannot be read any more once it has changed.
      if (entry.handle) entry.source = await BlobSource.fromHandle(entry.handle, key);
    } catch (error) {
      this.#entries.note(entry, { error });
      return;
    }
    const { source } = entry;
    if (!source || entry.upload.state !== state) return;
    const change = { error: null, arrived: null, sizeBytes: source.sizeBytes };
    if (!this.#entries.move(entry, 'go', change)) return;
    // Of the new content, nobody has accepted the header.
    Object.assign(entry, { restart: true, isChecked: false, isAccepted: false, force: false });
    await this.#check(entry, source.file, limits);
  }

  #go(entry: Entry): void {
    if (entry.source && this.#entries.move(entry, 'go', { error: null })) this.#settle(entry);
  }

  pauseAll(): void {
    for (const { upload } of this.#entries.all().reverse()) this.pause(upload.key);
  }

  /** Call it from a click. */
  resumeAll(): void {
    for (const { upload } of this.#entries.all()) {
      if (upload.state === 'paused' || upload.state === 'away') void this.resume(upload.key);
    }
  }

  /** Gives an upload up: what arrived is thrown away. One that is published all the same is shown as that. */
  async cancel(key: string): Promise<void> {
    const { resumeStore, server, owner, onDone } = this.#options;
    const entry = this.#entries.get(key);
    if (!entry || !this.#entries.move(entry, 'cancel', { bytesPerSecond: 0, error: null })) return;
    entry.controller?.abort(new DOMException('cancelled', 'AbortError'));
    try {
      // Only then is nothing remembered of it any more.
      await entry.running;
      if (entry.upload.state !== 'ending') return;
      const file = entry.uploadId === null ? null : await this.#cancelSession(entry.uploadId);
      // What another tab remembers of the same file is not thrown away with a row that has no upload yet.
      const isOthers = entry.uploadId === null && (await isLockHeld(this.#lockOf(key)));
      if (!isOthers) await resumeStore.forget({ server, owner, location: key });
      if (!file) this.#entries.drop(entry);
      else if (this.#entries.move(entry, 'publish', { file })) onDone(file);
    } catch (error) {
      this.#entries.move(entry, 'fail', { error });
    }
    this.#startNext();
  }

  /**
   * Repeats what is safe to repeat: the connections of the parts that were given up are just being torn down.
   *
   * @returns the file when it is too late: the server published it before.
   */
  async #cancelSession(uploadId: string): Promise<FileRecord | null> {
    const { api } = this.#options.uploader;
    const retryPolicy = new RetryPolicy(CANCEL_MS);
    try {
      await retryPolicy.retry(() => api.cancel(uploadId));
      return null;
    } catch (error) {
      const code = error instanceof ServerError ? error.code : null;
      if (code === 'upload_not_found') return null;
      if (code !== 'upload_closed') throw error;
      const completion = await retryPolicy.retry(() => api.complete(uploadId));
      if (completion.kind === 'completed') return completion.file;
      throw error;
    }
  }

  /** Takes an upload that has ended out of the list. */
  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.upload.state === 'done' || entry?.upload.state === 'refused') this.#entries.drop(entry);
  }

  removeDone(): void {
    for (const entry of this.#entries.all()) if (entry.upload.state === 'done') this.#entries.drop(entry);
  }

  #startNext(): void {
    if (!this.#isOpen || this.#running >= ACTIVE) return;
    for (const entry of this.#entries.all()) {
      if (this.#running >= ACTIVE) return;
      // A run that still ends comes back here when it has.
      if (!entry.source || entry.controller || !this.#entries.move(entry, 'start')) continue;
      entry.running = this.#run(entry, entry.source);
    }
  }

  async #run(entry: Entry, source: BlobSource): Promise<void> {
    const { uploader, resumeStore, server, owner, onDone } = this.#options;
    const { key, path } = entry.upload;
    const controller = new AbortController();
    const { signal } = controller;
    entry.controller = controller;
    this.#running++;
    try {
      if (entry.handle) await resumeStore.keepHandle({ server, owner, location: key }, entry.handle);
      let sentBytes = 0;
      const file = await withLock(this.#lockOf(key), signal, () =>
        uploader.upload(source, {
          signal,
          force: entry.force,
          restart: entry.restart,
          ...(path === null ? {} : { metadata: { path: path.normalize('NFC') } }),
          // What arrived is not this file's: neither to be shown here, nor to be cancelled.
          onNotice: ({ kind }) => {
            if (kind !== 'other_file') return;
            entry.uploadId = null;
            this.#entries.note(entry, { hadOther: true, arrived: null });
          },
          onProgress: (progress) => {
            entry.rate.note(progress.sentBytes);
            this.#sentBytes += progress.sentBytes - sentBytes;
            sentBytes = progress.sentBytes;
            this.rate.note(this.#sentBytes);
            entry.uploadId = progress.session?.upload_id ?? entry.uploadId;
            const bytesPerSecond = signal.aborted ? 0 : entry.rate.bytesPerSecond;
            this.#entries.note(entry, {
              progress,
              bytesPerSecond,
              arrived: arrivedOf(progress) ?? entry.upload.arrived,
            });
          },
        }),
      );
      this.#entries.move(entry, 'publish', { file, bytesPerSecond: 0 });
      onDone(file);
    } catch (error) {
      if (!signal.aborted) this.#entries.move(entry, 'fail', { error, bytesPerSecond: 0 });
    } finally {
      entry.controller = null;
      entry.restart = false;
      this.#running--;
      this.#startNext();
    }
  }

  /** Other tabs leave alone what this one uploads. Two that were told to upload the same file take turns. */
  #lockOf(key: string): string {
    return `cryolift-upload ${this.#options.subjectKey} ${key}`;
  }
}
