/** What every kind of destination does: it takes the files of a dataset, and at last their receipt. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

export interface OutgoingFile {
  readonly id: string;
  /** In the dataset, with `/`; as the receipt has it. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Plain SHA-256, hex. */
  readonly sha256: string;
  readonly filename: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes from `start` to `end`, inclusive. @throws PushRefused when they are gone. */
  read(start: number, end: number): Promise<Readable>;
}

/** What a destination needs to go on with a file after the process has died: kept in the database. */
export interface SavedProgress {
  read(): Promise<string | null>;
  /** @param text null: nothing. */
  save(text: string | null): Promise<void>;
}

/** For a destination that needs nothing else: bytes of a file are there perhaps, and a push that is cancelled removes them. */
export const BEGUN = 'begun';

/** Takes one dataset. */
export interface Delivery {
  /**
   * Sends a file, or what is missing of it, and verifies it; a file that is there and right is not sent. Resolves when it
   * is there. Several at once.
   *
   * @throws PushRefused when repeating it would not help, such as a different file of the same path; any other error:
   *   to be repeated.
   */
  send(file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void>;
  /** Hands the receipt over, after all files. Safe to repeat. @param text the document. */
  finish(text: string): Promise<void>;
  /** Removes what was begun of a file that is not there. Safe to repeat. */
  discard(path: string, progress: string | null): Promise<void>;
  close(): Promise<void>;
}

/** Repeating it would not help: the push fails. Its message is for the owner of the dataset. */
export class PushRefused extends Error {}

/** Files at once: without this, a folder of small files is as slow as the way there is long. */
export const FILES_AT_ONCE = 4;

/** @returns hex. @throws what the stream throws. */
export async function digestOf(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** The whole of `length` bytes. */
export async function readWhole(file: OutgoingFile, start: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const into = Buffer.alloc(length);
  let at = 0;
  if (length === 0) return into;
  for await (const chunk of await file.read(start, start + length - 1)) at += (chunk as Buffer).copy(into, at);
  if (at !== length) throw new PushRefused(`The bytes of ${file.path} end too early in the storage of this server.`);
  return into;
}
