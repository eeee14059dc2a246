/** The uploads of a list. Every change of an upload is made here. */

import { Rate } from '@cryolift/client';
import type { BlobSource, FileHandle } from '@cryolift/client/browser';
import { Cell } from '../cell.ts';
import type { Upload } from './upload.ts';
import { transition, type UploadEvent } from './upload-states.ts';

/** The shortest time between two notifications of the page, milliseconds: of few uploads, and of many. */
const [NOTIFY_MS, NOTIFY_MANY_MS] = [100, 300];
const MANY = 20;

/** An upload with its internal state. */
export interface Entry {
  upload: Upload;
  source: BlobSource | null;
  readonly handle: FileHandle | null;
  /** The server's id; null while the server has no upload. */
  uploadId: string | null;
  /** The header has been read, or needs no check. */
  isChecked: boolean;
  /** The header needs no approval: the server has accepted it before, or the user has forced the upload. */
  isAccepted: boolean;
  force: boolean;
  restart: boolean;
  controller: AbortController | null;
  /** Resolves when the last run has ended. It never rejects. */
  running: Promise<void>;
  readonly rate: Rate;
}

export class UploadEntries {
  readonly uploads = new Cell<readonly Upload[]>([]);
  readonly #entries = new Map<string, Entry>();
  #notification: ReturnType<typeof setTimeout> | null = null;

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** In the order in which they were added. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  put(upload: Upload, known: Partial<Entry>): Entry {
    const entry: Entry = {
      source: null,
      handle: null,
      uploadId: null,
      isChecked: false,
      isAccepted: false,
      force: false,
      restart: false,
      controller: null,
      running: Promise.resolve(),
      rate: new Rate(),
      ...known,
      upload,
    };
    this.#entries.set(upload.key, entry);
    this.#notify();
    return entry;
  }

  /**
   * Moves an upload to the next state. No other code changes the state.
   *
   * @returns false when the event is not allowed: the upload was stopped, has ended, or has left the list during an `await`.
   */
  apply(entry: Entry, event: UploadEvent, change: Partial<Omit<Upload, 'state'>> = {}): boolean {
    const state = transition(entry.upload.state, event);
    if (state === null || this.get(entry.upload.key) !== entry) return false;
    entry.upload = { ...entry.upload, ...change, state };
    this.#notify();
    return true;
  }

  /** Changes what is known of an upload, but not its state. */
  update(entry: Entry, change: Partial<Omit<Upload, 'state'>>): void {
    entry.upload = { ...entry.upload, ...change };
    this.#notify();
  }

  /** @returns false when the entry is not in the list any more. */
  remove(entry: Entry): boolean {
    const { key } = entry.upload;
    if (this.get(key) !== entry) return false;
    this.#entries.delete(key);
    this.#notify();
    return true;
  }

  /** Uses a timer: a hidden tab has no animation frames. */
  #notify(): void {
    this.#notification ??= setTimeout(
      () => {
        this.#notification = null;
        this.uploads.set(this.all().map(({ upload }) => upload));
      },
      this.#entries.size > MANY ? NOTIFY_MANY_MS : NOTIFY_MS,
    );
  }
}
