/** Runs the queued uploads of a list, a few at a time. */
import { FileSlots, type Progress, Rate, type Uploader } from '@cryolift/client';
import type { BlobSource, IndexedDbResumeStore } from '@cryolift/client/browser';
import type { FileRecord } from '@cryolift/protocol/messages';
import { withLock } from '../locks.ts';
import { receivedOf } from './upload.ts';
import type { Entry, UploadEntries } from './upload-entries.ts';
import { uploadLock } from './upload-lock.ts';

/** Files at a time, or four times as many small ones. They share the connections: while one waits, the others send. */
const FILES = 4;

export interface UploadRunnerOptions {
  readonly subjectKey: string;
  readonly uploader: Uploader;
  readonly resumeStore: Pick<IndexedDbResumeStore, 'all' | 'keepHandle' | 'forget'>;
  /** The name under which the resume store keeps this server and this subject. */
  readonly server: string;
  readonly owner: string;
  onDone(file: FileRecord): void;
}

export class UploadRunner {
  /** Bytes per second of all uploads together. */
  readonly rate = new Rate();
  readonly #entries: UploadEntries;
  readonly #options: UploadRunnerOptions;
  #sentBytes = 0;
  readonly #slots = new FileSlots(FILES);
  #isOpen = false;

  constructor(entries: UploadEntries, options: UploadRunnerOptions) {
    this.#entries = entries;
    this.#options = options;
  }

  /** The owner is signed in. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    this.#isOpen = true;
    this.startNext();
  }

  /** Running uploads go back to the queue. */
  close(): void {
    this.#isOpen = false;
    for (const entry of this.#entries.all()) {
      if (!this.#entries.apply(entry, 'suspend', { bytesPerSecond: 0 })) continue;
      entry.controller?.abort(new DOMException('signed out', 'AbortError'));
    }
  }

  /** Starts queued uploads. Call it after every change that may let one start. */
  startNext(): void {
    if (!this.#isOpen) return;
    for (const entry of this.#entries.all()) {
      // An aborted run that has not ended yet calls startNext at its end.
      if (entry.upload.state !== 'queued' || !entry.source || entry.controller) continue;
      const free = this.#slots.take(entry.upload.sizeBytes);
      if (!free) return;
      if (this.#entries.apply(entry, 'start')) entry.running = this.#run(entry, entry.source, free);
      else free();
    }
  }

  /** @param free frees its place. */
  async #run(entry: Entry, source: BlobSource, free: () => void): Promise<void> {
    const { subjectKey, uploader, resumeStore, server, owner, onDone } = this.#options;
    const { key, path, dataset } = entry.upload;
    const controller = new AbortController();
    const { signal } = controller;
    entry.controller = controller;
    try {
      if (entry.handle) await resumeStore.keepHandle({ server, owner, location: key }, entry.handle);
      const file = await withLock(uploadLock(subjectKey, key), signal, () =>
        uploader.upload(source, {
          signal,
          force: entry.force,
          restart: entry.restart,
          metadata: {
            ...(path === null ? {} : { path: path.normalize('NFC') }),
            ...(dataset === null ? {} : { dataset }),
          },
          onNotice: ({ kind }) => {
            if (kind === 'other_file') this.#disownUpload(entry);
          },
          onProgress: this.#progressOf(entry, signal),
        }),
      );
      this.#entries.apply(entry, 'publish', { file, bytesPerSecond: 0 });
      onDone(file);
    } catch (error) {
      if (!signal.aborted) this.#entries.apply(entry, 'fail', { error, bytesPerSecond: 0 });
    } finally {
      entry.controller = null;
      entry.restart = false;
      free();
      this.startNext();
    }
  }

  /** The upload on the server belongs to another file: it is neither shown nor cancelled with this entry. */
  #disownUpload(entry: Entry): void {
    entry.uploadId = null;
    this.#entries.update(entry, { hadOtherFile: true, received: null });
  }

  #progressOf(entry: Entry, signal: AbortSignal): (progress: Progress) => void {
    let sentBytes = 0;
    return (progress) => {
      entry.rate.note(progress.sentBytes);
      this.#sentBytes += progress.sentBytes - sentBytes;
      sentBytes = progress.sentBytes;
      this.rate.note(this.#sentBytes);
      entry.uploadId = progress.upload?.upload_id ?? entry.uploadId;
      this.#entries.update(entry, {
        progress,
        bytesPerSecond: signal.aborted ? 0 : entry.rate.bytesPerSecond,
        received: receivedOf(progress) ?? entry.upload.received,
      });
    };
  }
}
