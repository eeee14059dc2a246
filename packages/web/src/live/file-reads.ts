/**
 * Reads the records of files that events have named. Hundreds of events a minute would otherwise be hundreds of calls, which
 * share the browser's six connections with the parts of uploads.
 */
import type { Api } from '@cryolift/client';
import type { FileRecord } from '@cryolift/protocol/messages';
import { paced } from './paced.ts';

/** Events of this time are answered together: a file has several within a few seconds. */
const INTERVAL_MS = 5_000;
/** Of more files, the newest are read as one list. */
const MAX_SINGLE = 5;
const LISTED = 100;

export class FileReads {
  readonly #api: Pick<Api, 'file' | 'files'>;
  #asked = new Map<string, PromiseWithResolvers<FileRecord>>();
  readonly #read: () => Promise<void>;

  constructor(api: Pick<Api, 'file' | 'files'>, intervalMs = INTERVAL_MS) {
    this.#api = api;
    this.#read = paced(() => this.#readAsked(), intervalMs);
  }

  /** @returns a record that is newer than this call. */
  file(id: string): Promise<FileRecord> {
    const known = this.#asked.get(id);
    if (known) return known.promise;
    const asked = Promise.withResolvers<FileRecord>();
    this.#asked.set(id, asked);
    void this.#read();
    return asked.promise;
  }

  /** One call at a time. */
  async #readAsked(): Promise<void> {
    const asked = this.#asked;
    this.#asked = new Map();
    if (asked.size > MAX_SINGLE) {
      const { items } = await this.#api.files({ limit: LISTED }).catch(() => ({ items: [] }));
      for (const file of items) {
        asked.get(file.file_id)?.resolve(file);
        asked.delete(file.file_id);
      }
    }
    for (const [id, { resolve, reject }] of asked) await this.#api.file(id).then(resolve, reject);
  }
}
