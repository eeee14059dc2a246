/** The uploads of a list, and the one place that changes them. */
import { Rate } from '@cryolift/client';
import type { BlobSource, FileHandle } from '@cryolift/client/browser';
import { Cell } from '../cell.ts';
import type { Upload } from './upload.ts';
import { transition, type UploadEvent } from './upload-states.ts';

/** The page is told at most this often, milliseconds. */
const TELL_MS = 100;

/** An upload, and what belongs to it and is not shown. */
export interface Entry {
  upload: Upload;
  source: BlobSource | null;
  readonly handle: FileHandle | null;
  /** The server's; null as long as it has none. */
  uploadId: string | null;
  /** The header was read, or need not be. */
  isChecked: boolean;
  /** Whatever the header says: the server has accepted it before, or somebody insists. */
  isAccepted: boolean;
  force: boolean;
  restart: boolean;
  controller: AbortController | null;
  /** Settles, and never fails, once the last run has ended. */
  running: Promise<void>;
  readonly rate: Rate;
}

export class UploadEntries {
  readonly uploads = new Cell<readonly Upload[]>([]);
  readonly #entries = new Map<string, Entry>();
  #telling: ReturnType<typeof setTimeout> | null = null;

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** In the order in which they were given. */
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
    this.#tell();
    return entry;
  }

  /**
   * The one way from state to state.
   *
   * @returns false when there is none: the upload was stopped, has ended, or left the list while something was waited for.
   */
  move(entry: Entry, event: UploadEvent, change: Partial<Upload> = {}): boolean {
    const state = transition(entry.upload.state, event);
    if (state === null || this.get(entry.upload.key) !== entry) return false;
    this.note(entry, { ...change, state });
    return true;
  }

  note(entry: Entry, change: Partial<Upload>): void {
    entry.upload = { ...entry.upload, ...change };
    this.#tell();
  }

  /** @returns false when it is not in the list any more. */
  drop(entry: Entry): boolean {
    const { key } = entry.upload;
    if (this.get(key) !== entry) return false;
    this.#entries.delete(key);
    this.#tell();
    return true;
  }

  /** A timer and not an animation frame, of which a hidden tab has none. */
  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = null;
      this.uploads.set(this.all().map(({ upload }) => upload));
    }, TELL_MS);
  }
}
