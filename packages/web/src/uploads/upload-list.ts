/** The uploads of one subject on this page. They are kept outside React, so that they continue in every view. */
import { BlobSource } from '@cryolift/client/browser';
import type { Limits } from '@cryolift/protocol/messages';
import type { CheckedFile } from '../adding/batch-check.ts';
import type { FoundFile } from '../adding/found-files.ts';
import { checkHeader } from '../adding/header-check.ts';
import { KeyChooser } from '../adding/key-chooser.ts';
import { isLockHeld } from '../locks.ts';
import { restoreUploads } from './interrupted-uploads.ts';
import { canRetry, isActive, newUpload } from './upload.ts';
import { cancelOnServer } from './upload-cancellation.ts';
import { type Entry, UploadEntries } from './upload-entries.ts';
import { keyOfFile, withoutPath } from './upload-key.ts';
import { uploadLock } from './upload-lock.ts';
import { UploadRunner, type UploadRunnerOptions } from './upload-runner.ts';
import { traitsOf } from './upload-states.ts';

export interface UploadListOptions extends UploadRunnerOptions {
  /** Null when the server does not return them. */
  getLimits(): Promise<Limits | null>;
}

export class UploadList {
  readonly #entries = new UploadEntries();
  /** In the order in which they were added; updated at most ten times a second. */
  readonly uploads = this.#entries.uploads;
  readonly #options: UploadListOptions;
  readonly #runner: UploadRunner;

  constructor(options: UploadListOptions) {
    this.#options = options;
    this.#runner = new UploadRunner(this.#entries, options);
  }

  /** The owner is signed in. */
  get isOpen(): boolean {
    return this.#runner.isOpen;
  }

  /** The rate of all uploads together. */
  get rate() {
    return this.#runner.rate;
  }

  /** Uploads that closing the page would interrupt. */
  get unfinishedCount(): number {
    return this.#entries.all().filter(({ upload }) => traitsOf(upload.state).isUnfinished).length;
  }

  /** The owner has signed in: queued uploads start, and interrupted uploads of the resume store are listed. */
  open(): void {
    this.#runner.open();
    const { uploader, resumeStore, server, owner } = this.#options;
    void restoreUploads({
      api: uploader.api,
      resumeStore,
      server,
      owner,
      isTaken: async (key) => this.#entries.has(key) || (await this.#isLocked(key)),
      add: (key, uploadId, handle) => {
        if (this.#entries.has(key)) return null;
        // The server has accepted this header before.
        const known = { uploadId, handle, isChecked: true, isAccepted: true, force: true };
        return this.#entries.put(newUpload(key, 'interrupted', handle !== null), known);
      },
      update: (entry, change) => {
        if (entry.upload.state === 'interrupted') this.#entries.update(entry, change);
      },
      remove: (entry) => entry.upload.state === 'interrupted' && this.#entries.remove(entry),
    });
  }

  /** The owner has signed out: nothing is sent until they sign in again. */
  close(): void {
    this.#runner.close();
  }

  /** What the server counts for the quota of the uploads of this list, and what it will count in addition. */
  counted(): { isCounted(found: FoundFile): boolean; waiting: { files: number; bytes: number } } {
    const keys = new Set<string>();
    const waiting = { files: 0, bytes: 0 };
    for (const { upload, uploadId } of this.#entries.all()) {
      if (upload.state === 'done' || upload.state === 'refused') continue;
      keys.add(upload.key);
      if (upload.state === 'interrupted') keys.add(withoutPath(upload.key));
      if (uploadId !== null) continue;
      waiting.files++;
      waiting.bytes += upload.sizeBytes;
    }
    const isCounted = ({ file, path }: FoundFile) => {
      const key = keyOfFile(file, path);
      return keys.has(key) || keys.has(withoutPath(key));
    };
    return { isCounted, waiting };
  }

  /** Adds files. A file whose upload has stopped continues it. @param dataset name of the one that they belong to. */
  async add(files: readonly CheckedFile[], dataset: string | null = null): Promise<void> {
    const keys = new KeyChooser(this.#entries);
    for (const each of files) this.#addOne(each, await keys.choose(each), dataset);
  }

  #addOne({ file, handle, check }: CheckedFile, key: string, dataset: string | null): void {
    const known = this.#entries.get(key);
    const state = known?.upload.state;
    if (known && (isActive(known.upload) || state === 'cancelling')) return;
    const resumes = state !== undefined && traitsOf(state).isResumable;
    const entry = this.#entries.put(
      {
        ...newUpload(key, 'checking', handle !== null),
        check,
        dataset,
        received: resumes ? (known?.upload.received ?? null) : null,
      },
      {
        source: new BlobSource(file, { location: key, handle: handle ?? undefined }),
        handle,
        uploadId: resumes ? (known?.uploadId ?? null) : null,
        isChecked: true,
        isAccepted: resumes,
        running: known?.running ?? Promise.resolve(),
        ...(known ? { rate: known.rate } : {}),
      },
    );
    this.#queueOrRefuse(entry);
  }

  async #check(entry: Entry, file: File, limits: Promise<Limits | null>): Promise<void> {
    const check = await checkHeader(file, await limits, null).catch(() => null);
    this.#entries.update(entry, { check });
    entry.isChecked = true;
    this.#queueOrRefuse(entry);
  }

  /** Ends `checking` once the header has been read. An upload that was stopped meanwhile keeps its state. */
  #queueOrRefuse(entry: Entry): void {
    if (!entry.isChecked) return;
    const refusals = entry.upload.check?.refusals ?? [];
    this.#entries.apply(entry, entry.isAccepted || refusals.length === 0 ? 'accept' : 'refuse');
    this.#runner.startNext();
  }

  pause(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry || !this.#entries.apply(entry, 'pause', { bytesPerSecond: 0 })) return;
    entry.controller?.abort(new DOMException('paused', 'AbortError'));
    this.#runner.startNext();
  }

  /** Continues an upload that is paused, has failed, or was interrupted and has a handle. Call it from a click handler. */
  async resume(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    const { state } = entry.upload;
    try {
      if (!entry.source && entry.handle) entry.source = await BlobSource.fromHandle(entry.handle, key);
    } catch (error) {
      if (entry.upload.state === state) this.#entries.apply(entry, 'fail', { error });
    }
    // The user may have cancelled it while the browser asked for permission.
    if (entry.source && entry.upload.state === state) this.#resume(entry);
  }

  /** Uploads a file although the server would refuse its header. */
  force(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.force = true;
    entry.isAccepted = true;
    this.#resume(entry);
  }

  /** Uploads a changed file from its first byte and discards what the server has of it. Call it from a click handler. */
  async restart(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    const { state } = entry.upload;
    const limits = this.#options.getLimits();
    try {
      // The browser cannot read the chosen File once the file has changed. The handle gives a new one.
      if (entry.handle) entry.source = await BlobSource.fromHandle(entry.handle, key);
    } catch (error) {
      this.#entries.update(entry, { error });
      return;
    }
    const { source } = entry;
    if (!source || entry.upload.state !== state) return;
    const change = { error: null, received: null, sizeBytes: source.sizeBytes };
    if (!this.#entries.apply(entry, 'resume', change)) return;
    // The header of the new content has not been checked or accepted.
    Object.assign(entry, { restart: true, isChecked: false, isAccepted: false, force: false });
    await this.#check(entry, source.file, limits);
  }

  #resume(entry: Entry): void {
    if (entry.source && this.#entries.apply(entry, 'resume', { error: null })) this.#queueOrRefuse(entry);
  }

  /** Tries again what has failed, unless the file has changed. Call it from a click handler. */
  retryAll(): void {
    for (const { upload } of this.#entries.all()) if (canRetry(upload)) void this.resume(upload.key);
  }

  /** In reverse order, so that no queued upload starts in between. */
  pauseAll(): void {
    for (const { upload } of this.#entries.all().reverse()) this.pause(upload.key);
  }

  /** Call it from a click handler. */
  resumeAll(): void {
    for (const { upload } of this.#entries.all()) {
      if (upload.state === 'paused' || upload.state === 'interrupted') void this.resume(upload.key);
    }
  }

  /** Cancels an upload and deletes its parts on the server. If the server has published it before, it is shown as done. */
  async cancel(key: string): Promise<void> {
    const { uploader, resumeStore, server, owner, onDone } = this.#options;
    const entry = this.#entries.get(key);
    if (!entry || !this.#entries.apply(entry, 'cancel', { bytesPerSecond: 0, error: null })) return;
    entry.controller?.abort(new DOMException('cancelled', 'AbortError'));
    try {
      // The aborted run may still write to the resume store.
      await entry.running;
      if (entry.upload.state !== 'cancelling') return;
      const file = entry.uploadId === null ? null : await cancelOnServer(uploader.api, entry.uploadId);
      // Without an upload id, the record in the resume store may be that of another tab.
      const isOtherTabs = entry.uploadId === null && (await this.#isLocked(key));
      if (!isOtherTabs) await resumeStore.forget({ server, owner, location: key });
      if (!file) this.#entries.remove(entry);
      else if (this.#entries.apply(entry, 'publish', { file })) onDone(file);
    } catch (error) {
      this.#entries.apply(entry, 'fail', { error });
    }
    this.#runner.startNext();
  }

  /** Removes an upload that has ended from the list. */
  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry && traitsOf(entry.upload.state).isRemovable) this.#entries.remove(entry);
  }

  removeDone(): void {
    for (const entry of this.#entries.all()) if (entry.upload.state === 'done') this.#entries.remove(entry);
  }

  /** A tab uploads this file. */
  async #isLocked(key: string): Promise<boolean> {
    return await isLockHeld(uploadLock(this.#options.subjectKey, key));
  }
}
