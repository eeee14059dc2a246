/**
 * Published files, of which some are stored compressed. A file has its own bytes, or compressed ones, or both between the
 * two steps of `compress` and `removeOriginal`; whichever are there are read, so that no reader depends on the time at
 * which it has read the record.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { BytesDamaged, BytesGone } from '../errors.ts';
import type { CompressedBytes, FileCompressor } from '../file-compressor.ts';
import type { FileStorage } from '../file-storage.ts';
import type { FilePlace } from '../places.ts';
import type { PartSink } from '../upload-storage.ts';
import { decodeRange, readSeekTable } from './decoding.ts';
import { compressFrames, FRAME_BYTES } from './frames.ts';
import type { NamedFiles } from './named-files.ts';
import { canBeCompressed, compressedPlace, originalPlace } from './place.ts';
import type { SeekTable } from './seek-table.ts';
import { toZstdUrl } from './zstd-source.ts';

/** A file that stays larger than this share of itself is not worth decoding it at every reading. */
const LARGEST_SHARE = 0.9;
/** Of files that are being downloaded; the largest has 0.8 MB for 100 GB. */
const TABLES = 16;

class NotSmaller extends Error {}

export class CompressedFiles implements FileStorage, FileCompressor {
  readonly #named: NamedFiles;
  readonly #openHash: () => PartSink;
  readonly #tables = new LRUCache<string, SeekTable>({ max: TABLES });

  /** @param openHash of bytes that are read from the first to the last. */
  constructor(named: NamedFiles, openHash: () => PartSink) {
    this.#named = named;
    this.#openHash = openHash;
  }

  async read(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null> {
    return await this.#either(
      file,
      (original) => this.#named.read(original, range),
      async (stored) => {
        const table = await this.#tableOf(stored);
        if (range.end < range.start || range.start >= table.sizeBytes) return null;
        const end = Math.min(range.end, table.sizeBytes - 1);
        const bytes = decodeRange(table, { start: range.start, end }, (frames) => this.#open(stored, frames));
        return Readable.from(bytes, { objectMode: false, highWaterMark: FRAME_BYTES });
      },
    );
  }

  async stat(file: FilePlace): Promise<number | null> {
    return await this.#either(
      file,
      (original) => this.#named.stat(original),
      async (stored) => (await this.#tableOf(stored)).sizeBytes,
    );
  }

  async digest(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    const digest = await this.#either(
      file,
      (original) => orNull(this.#named.digest(original, pace)),
      async (stored) => await this.#digestDecoded(stored, pace),
    );
    if (!digest) throw new BytesGone('The bytes are not in the storage.', { isAbsent: true });
    return digest;
  }

  async remove(fileId: string): Promise<void> {
    await this.#named.remove(fileId);
  }

  async list(): Promise<string[]> {
    return await this.#named.list();
  }

  locate(file: FilePlace): string {
    return this.#named.locate(file);
  }

  async sourceUrl(file: FilePlace): Promise<string> {
    const url = await this.#either(
      file,
      async (original) => ((await this.#named.stat(original)) === null ? null : await this.#named.sourceUrl(original)),
      async (stored) => toZstdUrl(await this.#named.sourceUrl(stored), stored.sizeBytes),
    );
    // Its reader finds that it is missing.
    return url ?? (await this.#named.sourceUrl(file));
  }

  async compress(file: FilePlace, sha256: Uint8Array, signal: AbortSignal): Promise<CompressedBytes | null> {
    if (!canBeCompressed(file)) return null;
    if (!(await this.#findCompressed(file))) {
      try {
        const frames = this.#compressed(file, signal);
        await this.#named.writeBeside(compressedPlace(file, 0), frames, file.sizeBytes * LARGEST_SHARE);
      } catch (error) {
        if (error instanceof NotSmaller) return null;
        throw error;
      }
    }
    const stored = await this.#findCompressed(file);
    if (!stored) throw new BytesGone('The compressed bytes are not in the storage.', { isAbsent: true });
    return await this.#verify(stored, sha256, signal);
  }

  async removeOriginal(file: FilePlace, { sizeBytes }: CompressedBytes): Promise<void> {
    const stored = await this.#findCompressed(file);
    if (stored?.sizeBytes !== sizeBytes || (await this.#tableOf(stored)).sizeBytes !== file.sizeBytes) {
      throw new BytesDamaged('The compressed bytes of the file are not what was stored.');
    }
    await this.#named.removeName(originalPlace(file));
  }

  async *#compressed(file: FilePlace, signal: AbortSignal): AsyncGenerator<Buffer> {
    const original = await this.#open(originalPlace(file), { start: 0, end: file.sizeBytes - 1 });
    let storedBytes = 0;
    for await (const bytes of compressFrames(original, signal)) {
      storedBytes += bytes.length;
      if (storedBytes > file.sizeBytes * LARGEST_SHARE) throw new NotSmaller();
      yield bytes;
    }
  }

  /** Reads what is stored, once. */
  async #verify(stored: FilePlace, sha256: Uint8Array, signal: AbortSignal): Promise<CompressedBytes> {
    const digest = createHash('sha256');
    const table = await this.#tableOf(stored);
    const decoded = this.#openHash();
    try {
      const open = async () => hashed(await this.#open(stored, { start: 0, end: stored.sizeBytes - 1 }), digest);
      for await (const bytes of decodeRange(table, { start: 0, end: table.sizeBytes - 1 }, open)) {
        signal.throwIfAborted();
        await decoded.write(bytes);
      }
      if (Buffer.compare((await decoded.commit()).sha256, sha256) !== 0) {
        throw new BytesDamaged('The compressed bytes of the file are not those of the original.');
      }
    } finally {
      await decoded.abort();
    }
    return { sizeBytes: stored.sizeBytes, sha256: digest.digest() };
  }

  async #digestDecoded(stored: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    const table = await this.#tableOf(stored);
    const hash = this.#openHash();
    try {
      for (let frame = 0; frame < table.frames; frame++) {
        const [start, { bytes }] = [table.offsetOf(frame), table.lengthOf(frame)];
        await pace(bytes);
        const range = { start, end: start + bytes - 1 };
        for await (const decoded of decodeRange(table, range, (frames) => this.#open(stored, frames))) {
          await hash.write(decoded);
        }
      }
      return (await hash.commit()).sha256;
    } finally {
      await hash.abort();
    }
  }

  /** Asks first for what the record says that is there, and then for the other. */
  async #either<T>(
    file: FilePlace,
    plain: (original: FilePlace) => Promise<T | null>,
    compressed: (stored: FilePlace) => Promise<T | null>,
  ): Promise<T | null> {
    const ofCompressed = async () => {
      const stored = await this.#findCompressed(file);
      return stored && (await compressed(stored));
    };
    const ofOriginal = async () => await plain(originalPlace(file));
    const [first, second] = file.isCompressed ? [ofCompressed, ofOriginal] : [ofOriginal, ofCompressed];
    return (await first()) ?? (await second());
  }

  async #findCompressed(file: FilePlace): Promise<FilePlace | null> {
    if (!canBeCompressed(file)) return null;
    const sizeBytes = await this.#named.stat(compressedPlace(file, 0));
    return sizeBytes === null ? null : compressedPlace(file, sizeBytes);
  }

  async #tableOf(stored: FilePlace): Promise<SeekTable> {
    const key = `${stored.fileId} ${stored.sizeBytes}`;
    const known = this.#tables.get(key);
    if (known) return known;
    const table = await readSeekTable(async (offset, length) => {
      const bytes = await (await this.#open(stored, { start: offset, end: offset + length - 1 })).toArray();
      return Buffer.concat(bytes as Buffer[]);
    }, stored.sizeBytes);
    this.#tables.set(key, table);
    return table;
  }

  async #open(at: FilePlace, range: { start: number; end: number }): Promise<Readable> {
    const bytes = await this.#named.read(at, range);
    if (!bytes) throw new BytesGone('The bytes are not in the storage.', { isAbsent: true });
    return bytes;
  }
}

async function* hashed(bytes: AsyncIterable<Buffer>, hash: { update(bytes: Buffer): unknown }): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Null when the bytes are not there at all. */
async function orNull<T>(result: Promise<T>): Promise<T | null> {
  return await result.catch((error: unknown) => {
    if (error instanceof BytesGone && error.isAbsent) return null;
    throw error;
  });
}
