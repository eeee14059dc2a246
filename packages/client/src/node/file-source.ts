/** A file on this machine's file system as a source. */
import { createHash } from 'node:crypto';
import { type FileHandle, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SourceError } from '../failures.ts';
import type { Source } from '../ports.ts';
import { openRegularFile, toSourceError } from './regular-file.ts';

/** Read and then hashed at a time, so that hashing, which is done on this thread, holds up nothing for long. */
const PIECE_BYTES = 1024 * 1024;

export class FileSource implements Source {
  readonly name: string;
  readonly location: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, location: string, sizeBytes: number, modifiedMs: number) {
    this.#handle = handle;
    this.name = basename(location);
    this.location = location;
    this.sizeBytes = sizeBytes;
    this.modifiedMs = modifiedMs;
  }

  /** A link to a file goes up under its own name. @throws SourceError `source_unreadable`. Close the source when it is done with. */
  static async open(path: string): Promise<FileSource> {
    try {
      const location = join(await realpath(dirname(path)), basename(path));
      const { handle, stats } = await openRegularFile(location);
      return new FileSource(handle, location, stats.size, stats.mtimeMs);
    } catch (cause) {
      throw toSourceError(cause);
    }
  }

  async read(offset: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const hash = createHash('sha256');
    const piece = (at: number) => into.subarray(at, at + PIECE_BYTES);
    let reading = this.#fill(offset, piece(0));
    for (let at = 0; at < into.length; at += PIECE_BYTES) {
      await reading;
      // The system reads the next piece while this one is hashed.
      reading = this.#fill(offset + at + PIECE_BYTES, piece(at + PIECE_BYTES));
      hash.update(piece(at));
    }
    return hash.digest();
  }

  async #fill(offset: number, into: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < into.length; ) {
      const { bytesRead } = await this.#handle.read(into, at, into.length - at, offset + at).catch((cause) => {
        throw toSourceError(cause);
      });
      if (bytesRead === 0) {
        throw new SourceError(
          'source_changed',
          'The file has become shorter while it was read.',
          'Let whatever writes it finish, then run the upload again.',
        );
      }
      at += bytesRead;
    }
  }

  async look(): Promise<{ sizeBytes: number; modifiedMs: number }> {
    const { size, mtimeMs } = await this.#handle.stat();
    return { sizeBytes: size, modifiedMs: mtimeMs };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
