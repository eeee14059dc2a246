/** Reads numbers anywhere in a file, in pages that are kept for the next numbers. */
import type { ByteOrder } from '../header/byte-order.ts';
import type { VoxelSource } from '../voxels/voxels.ts';

const PAGE_BYTES = 16 * 1024;
/** A directory, its values and the tables of its strips may be at different places. */
const MAX_PAGES = 4;

export class PagedReader {
  readonly sizeBytes: number;
  readonly #source: VoxelSource;
  readonly #isLittle: boolean;
  /** The page that was used last is the last one. */
  readonly #pages = new Map<number, DataView>();

  constructor(source: VoxelSource, sizeBytes: number, byteOrder: ByteOrder) {
    this.#source = source;
    this.sizeBytes = sizeBytes;
    this.#isLittle = byteOrder === 'little';
  }

  /** True when all of these bytes are in the file. */
  has(offset: number, bytes: number): boolean {
    return offset >= 0 && bytes >= 0 && offset + bytes <= this.sizeBytes;
  }

  /** @throws what the source throws; RangeError beyond the file. */
  async uint(offset: number, bytes: 1 | 2 | 4 | 8): Promise<number> {
    const view = await this.#view(offset, bytes);
    const at = offset % PAGE_BYTES;
    if (view && at + bytes <= view.byteLength) return uintAt(view, at, bytes, this.#isLittle);
    return uintAt(new DataView((await this.bytes(offset, bytes)).buffer), 0, bytes, this.#isLittle);
  }

  /** A copy of some bytes, for short ones. @throws as `uint`. */
  async bytes(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const found = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = offset + done;
      const { buffer, byteLength } = await this.#view(at, 1);
      const piece = new Uint8Array(buffer, at % PAGE_BYTES, Math.min(length - done, byteLength - (at % PAGE_BYTES)));
      found.set(piece, done);
      done += piece.length;
    }
    return found;
  }

  get isLittle(): boolean {
    return this.#isLittle;
  }

  /** The page with the first byte. */
  async #view(offset: number, bytes: number): Promise<DataView> {
    if (!this.has(offset, bytes)) throw new RangeError(`byte ${offset} is beyond the end of the file`);
    const page = Math.floor(offset / PAGE_BYTES);
    const known = this.#pages.get(page);
    if (known) {
      this.#pages.delete(page);
      this.#pages.set(page, known);
      return known;
    }
    const start = page * PAGE_BYTES;
    const read = new Uint8Array(Math.min(PAGE_BYTES, this.sizeBytes - start));
    await this.#source.read(start, read);
    if (this.#pages.size === MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value as number);
    const view = new DataView(read.buffer);
    this.#pages.set(page, view);
    return view;
  }
}

/** Beyond 2^53 it is not exact, and beyond any file. */
export function uintAt(view: DataView, at: number, bytes: number, isLittle: boolean): number {
  if (bytes === 2) return view.getUint16(at, isLittle);
  if (bytes === 4) return view.getUint32(at, isLittle);
  return bytes === 8 ? Number(view.getBigUint64(at, isLittle)) : view.getUint8(at);
}
