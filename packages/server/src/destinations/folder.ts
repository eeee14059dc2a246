/** A dataset in a folder: its files in `data`, and at last its receipt beside them. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Delivery, type OutgoingFile, PushRefused, type SavedProgress } from './delivery.ts';

/** Where files are kept by path, such as a bucket. Paths are relative, with `/`. */
export interface RemoteFolder {
  /** Bytes; null: there is no such file. */
  stat(path: string): Promise<number | null>;
  /** SHA-256 of what is there, hex. */
  digest(path: string, signal: AbortSignal): Promise<string>;
  /**
   * Stores a file where there is none; nobody sees a part of it at its path. @throws an error when one has appeared there:
   * the next attempt compares it.
   */
  put(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void>;
  /** Removes what `put` has begun. Safe to repeat. */
  discard(path: string, progress: string | null): Promise<void>;
  close(): Promise<void>;
}

/** No reader can open it: it has no end. */
const NO_PROGRESS: SavedProgress = { read: async () => null, save: async () => {} };

export class FolderDelivery implements Delivery {
  readonly #remote: RemoteFolder;
  readonly #folder: string;

  /** @param folder of the dataset. */
  constructor(remote: RemoteFolder, folder: string) {
    this.#remote = remote;
    this.#folder = folder;
  }

  async send(file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    await this.#put(this.#pathOf(file), file, progress, signal);
  }

  async finish(text: string): Promise<void> {
    const { issued_at } = (JSON.parse(text) as { receipt: { issued_at: string } }).receipt;
    const bytes = Buffer.from(text);
    const name = `receipt-${issued_at.replace(/[:.]/g, '-')}.json`;
    const file: OutgoingFile = {
      id: name,
      path: name,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      filename: name,
      metadata: {},
      read: async (start, end) => Readable.from([bytes.subarray(start, end + 1)]),
    };
    await this.#put(`${this.#folder}/${name}`, file, NO_PROGRESS, new AbortController().signal);
  }

  async discard(path: string, progress: string | null): Promise<void> {
    await this.#remote.discard(this.#pathOf({ path }), progress);
  }

  async close(): Promise<void> {
    await this.#remote.close();
  }

  #pathOf({ path }: Pick<OutgoingFile, 'path'>): string {
    return `${this.#folder}/data/${path}`;
  }

  async #put(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    const there = await this.#remote.stat(path);
    if (there === null) return await this.#remote.put(path, file, progress, signal);
    if (there !== file.sizeBytes || (await this.#remote.digest(path, signal)) !== file.sha256) {
      throw new PushRefused(`A different file is at ${path} already. Move it away, or push to another folder.`);
    }
  }
}
