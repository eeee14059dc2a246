/** The data of strips and tiles, decoded from their start on. */
import type { VoxelSource } from '../voxels/voxels.ts';
import { LzwDecoder } from './lzw.ts';

const BUFFER_BYTES = 256 * 1024;
/** Decoded at once to skip them. */
const SKIP_BYTES = 64 * 1024;

/** The data of a file are not what its directories say. The message is for the owner of the file. */
export class TiffDataError extends Error {
  readonly code = 'TIFF_DATA';
}

/** Reads a file ahead, for pieces that follow each other. */
export class ReadAhead {
  readonly #source: VoxelSource;
  readonly #sizeBytes: number;
  readonly #buffer: Uint8Array;
  #start = 0;
  #length = 0;

  constructor(source: VoxelSource, sizeBytes: number) {
    this.#source = source;
    this.#sizeBytes = sizeBytes;
    this.#buffer = new Uint8Array(Math.min(BUFFER_BYTES, sizeBytes));
  }

  /** Some bytes from `at` on, at least one and at most `most`; they are valid until the next call. */
  async piece(at: number, most: number): Promise<Uint8Array> {
    if (at < this.#start || at >= this.#start + this.#length) {
      const length = Math.min(this.#buffer.length, this.#sizeBytes - at);
      if (length <= 0) throw new RangeError(`byte ${at} is beyond the end of the file`);
      this.#length = 0;
      await this.#source.read(at, this.#buffer.subarray(0, length));
      [this.#start, this.#length] = [at, length];
    }
    const from = at - this.#start;
    return this.#buffer.subarray(from, Math.min(this.#length, from + most));
  }
}

export class BlockStream {
  readonly #file: ReadAhead;
  /** Null: without compression. */
  readonly #lzw: LzwDecoder | null;
  readonly #name: string;
  readonly #isEmpty: boolean;
  #at: number;
  #left: number;
  #isFirst = true;

  /** @param name how messages call it. */
  constructor(file: ReadAhead, { at, bytes }: { at: number; bytes: number }, isLzw: boolean, name: string) {
    this.#file = file;
    this.#lzw = isLzw ? new LzwDecoder() : null;
    this.#name = name;
    this.#at = at;
    this.#left = bytes;
    this.#isEmpty = bytes === 0;
  }

  /** Fills `target` with the next bytes. @throws TiffDataError when there are fewer. */
  async read(target: Uint8Array): Promise<void> {
    if (this.#isEmpty) {
      target.fill(0);
      return;
    }
    for (let done = 0; done < target.length; ) {
      done += await this.#readSome(target.subarray(done));
    }
  }

  async skip(bytes: number): Promise<void> {
    if (!this.#lzw || this.#isEmpty) {
      this.#at += bytes;
      this.#left -= bytes;
      return;
    }
    const scratch = new Uint8Array(Math.min(SKIP_BYTES, bytes));
    for (let left = bytes; left > 0; left -= scratch.length) await this.read(scratch.subarray(0, left));
  }

  async #readSome(target: Uint8Array): Promise<number> {
    const input = this.#left > 0 ? await this.#file.piece(this.#at, this.#left) : new Uint8Array(0);
    if (!this.#lzw) {
      if (input.length === 0) throw this.#tooShort();
      const length = Math.min(input.length, target.length);
      target.set(input.subarray(0, length));
      this.#advance(length);
      return length;
    }
    if (this.#isFirst && input[0] === 0 && ((input[1] ?? 0) & 1) === 1) {
      throw new TiffDataError(`${this.#name} is compressed with LZW as it was before TIFF 6.0, which is not decoded.`);
    }
    this.#isFirst = false;
    try {
      const { used, written, isEnded } = this.#lzw.decode(input, target);
      this.#advance(used);
      if (written === 0 && (isEnded || this.#left === 0)) throw this.#tooShort();
      return written;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TiffDataError(`${this.#name} is damaged: its data are not LZW.`, { cause: error });
    }
  }

  #advance(bytes: number): void {
    this.#at += bytes;
    this.#left -= bytes;
  }

  #tooShort(): TiffDataError {
    return new TiffDataError(`${this.#name} is damaged: its data end before its last pixel.`);
  }
}
