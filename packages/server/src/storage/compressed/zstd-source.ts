/** A compressed file, read as the original in a worker thread. */
import type { ByteSource } from '../byte-source.ts';
import { decodeFrame, readSeekTable } from './decoding.ts';
import type { SeekTable } from './seek-table.ts';

const FRAGMENT = '#zstd=';

/** The URL by which `openByteSource` reads compressed bytes. @param storedBytes of frames and table. */
export function toZstdUrl(url: string, storedBytes: number): string {
  return `${url}${FRAGMENT}${storedBytes}`;
}

/** @returns null: the URL is not that of compressed bytes. */
export function parseZstdUrl(url: string): { url: string; storedBytes: number } | null {
  const at = url.lastIndexOf(FRAGMENT);
  return at < 0 ? null : { url: url.slice(0, at), storedBytes: Number(url.slice(at + FRAGMENT.length)) };
}

/** @param stored closed by the source, also when this fails. @throws an error with the code `ENODATA`. */
export async function openZstdSource(stored: ByteSource, storedBytes: number): Promise<ByteSource> {
  try {
    const table = await readSeekTable((offset, length) => readPart(stored, offset, length), storedBytes);
    return new ZstdSource(stored, table);
  } catch (error) {
    await stored.close();
    throw toSystemError(error);
  }
}

class ZstdSource implements ByteSource {
  readonly #stored: ByteSource;
  readonly #table: SeekTable;
  /** The frame that was decoded last. */
  #last: { frame: number; bytes: Buffer } | null = null;

  constructor(stored: ByteSource, table: SeekTable) {
    this.#stored = stored;
    this.#table = table;
  }

  async read(offsetBytes: number, target: Uint8Array): Promise<void> {
    if (target.length === 0) return;
    const end = offsetBytes + target.length - 1;
    if (end >= this.#table.sizeBytes) throw missing();
    const { first, last } = this.#table.find(offsetBytes, end);
    for (let frame = first; frame <= last; frame++) {
      const bytes = await this.#decode(frame);
      const offset = this.#table.offsetOf(frame);
      const piece = bytes.subarray(Math.max(0, offsetBytes - offset), end + 1 - offset);
      target.set(piece, Math.max(0, offset - offsetBytes));
    }
  }

  async close(): Promise<void> {
    this.#last = null;
    await this.#stored.close();
  }

  async #decode(frame: number): Promise<Buffer> {
    if (this.#last?.frame === frame) return this.#last.bytes;
    const { start, end } = this.#table.find(this.#table.offsetOf(frame), this.#table.offsetOf(frame));
    const stored = await readPart(this.#stored, start, end + 1 - start);
    const bytes = await decodeFrame(stored, this.#table.lengthOf(frame).bytes).catch((error: unknown) => {
      throw toSystemError(error);
    });
    this.#last = { frame, bytes };
    return bytes;
  }
}

async function readPart(source: ByteSource, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  await source.read(offset, bytes);
  return bytes;
}

function missing(): Error {
  return Object.assign(new Error('the file is shorter than its record says'), { code: 'ENODATA' });
}

/** Errors of the system stay as they are. */
function toSystemError(error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  return Object.assign(error as Error, { code: code?.startsWith('E') ? code : 'ENODATA' });
}
