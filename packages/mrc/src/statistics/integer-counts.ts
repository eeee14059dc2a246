import type { VoxelLayout } from '../voxels/voxels.ts';
import { FINE_BINS } from './fine-counts.ts';
import type { Moments } from './moments.ts';

/** Bytes counted at a time: the sum of 32,768 voxels of 16 bits fits into 31 bits. */
const PIECE_BYTES = 65_536;
/** A table holds 31 bits a bin; it is carried over before it can overflow. */
const CARRY_AFTER = 2 ** 31 - 2 * PIECE_BYTES;

/**
 * Counts how often each whole number of 8 or 16 bits occurs, straight from the bytes of a file (modes 0, 1 and 6). This
 * is several times as fast as sums of floats, and the mean and the spread follow from it exactly. Four bytes are read
 * at a time. Each of them has a table of its own, because two additions to one number wait for each other.
 */
export class IntegerCounts {
  readonly #isByte: boolean;
  readonly #isSigned: boolean;
  readonly #isSwapped: boolean;
  readonly #words = new Uint32Array(PIECE_BYTES / 4);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #table: Int32Array;
  /** The table of bytes before the last piece. */
  readonly #before = new Int32Array(4 * 256);
  #sinceCarry = 0;

  constructor({ mode, isSigned, byteOrder }: Pick<VoxelLayout, 'mode' | 'isSigned' | 'byteOrder'>) {
    this.#isByte = mode === 0;
    this.#isSigned = mode === 1 || (mode === 0 && isSigned === true);
    this.#isSwapped = mode !== 0 && byteOrder === 'big';
    this.#table = new Int32Array(this.#isByte ? 4 * 256 : FINE_BINS);
  }

  /**
   * Counts the voxels in `bytes`, which are whole.
   *
   * @param fine where they are added when the table is full; see `carry`.
   * @param into gets their mean and spread, too.
   */
  add(bytes: Uint8Array, fine: Float64Array, into: Moments | null): void {
    const width = this.#isByte ? 1 : 2;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      const count = piece.length / width;
      if (this.#sinceCarry + count > CARRY_AFTER) this.carry(fine);
      this.#sinceCarry += count;
      // The copy is aligned, and filled up to whole words.
      const words = Math.ceil(piece.length / 4);
      this.#words[words - 1] = 0;
      this.#bytes.set(piece);
      if (this.#isSwapped) swap(this.#words, words);
      const added = 4 * words - piece.length;
      if (this.#isByte) this.#addBytes(words, added, count, into);
      else this.#addPairs(words, added / 2, count, into);
    }
  }

  /** Adds the counts to those of `fine`, at the lower 16 bits of their value, and starts again from 0. */
  carry(fine: Float64Array): void {
    const table = this.#table;
    for (let i = 0; i < table.length; i++) {
      const bin = this.#isByte ? this.#valueOf(i & 255) & 0xffff : i;
      fine[bin] = (fine[bin] as number) + (table[i] as number);
    }
    table.fill(0);
    this.#sinceCarry = 0;
  }

  #addBytes(words: number, zeros: number, count: number, into: Moments | null): void {
    const table = this.#table;
    if (!into) {
      countBytes(this.#words, words, table);
    } else {
      const before = this.#before;
      before.set(table);
      countBytes(this.#words, words, table);
      let sum = 0;
      let squares = 0;
      for (let i = 0; i < table.length; i++) {
        const value = this.#valueOf(i & 255);
        const times = (table[i] as number) - (before[i] as number);
        sum += times * value;
        squares += times * value * value;
      }
      mergeSums(into, count, sum, squares, this.#valueOf(this.#bytes[0] as number));
    }
    // The zeros after the last voxel are in the tables of the last bytes of a word.
    for (let i = 0; i < zeros; i++) table[(3 - i) * 256] = (table[(3 - i) * 256] as number) - 1;
  }

  #addPairs(words: number, zeros: number, count: number, into: Moments | null): void {
    if (!into) countPairs(this.#words, words, this.#table);
    else if (this.#isSigned) countSigned(this.#words, words, this.#table);
    else countUnsigned(this.#words, words, this.#table);
    const first = (this.#words[0] as number) & 0xffff;
    if (into) mergeSums(into, count, sums.sum, sums.squares, this.#isSigned ? (first << 16) >> 16 : first);
    this.#table[0] = (this.#table[0] as number) - zeros;
  }

  #valueOf(byte: number): number {
    return this.#isSigned && byte > 127 ? byte - 256 : byte;
  }
}

/**
 * Merges the sum and the sum of squares of a piece. All terms are whole numbers below 2^53, so that the differences from
 * `shift`, one of the values, are exact: equal values have a spread of exactly 0.
 */
function mergeSums(into: Moments, count: number, sum: number, squares: number, shift: number): void {
  const difference = sum - count * shift;
  const square = squares - 2 * shift * sum + count * shift * shift;
  into.merge(count, sum / count, square - (difference * difference) / count);
}

function countBytes(words: Uint32Array, count: number, table: Int32Array): void {
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    const a = word & 255;
    const b = 256 | ((word >>> 8) & 255);
    const c = 512 | ((word >>> 16) & 255);
    const d = 768 | (word >>> 24);
    table[a] = (table[a] as number) + 1;
    table[b] = (table[b] as number) + 1;
    table[c] = (table[c] as number) + 1;
    table[d] = (table[d] as number) + 1;
  }
}

function countPairs(words: Uint32Array, count: number, table: Int32Array): void {
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    const a = word & 0xffff;
    const b = word >>> 16;
    table[a] = (table[a] as number) + 1;
    table[b] = (table[b] as number) + 1;
  }
}

/** The results of the two functions below: sums of a piece, which are exact. */
const sums = { sum: 0, squares: 0 };

function countSigned(words: Uint32Array, count: number, table: Int32Array): void {
  let sum = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    const a = word & 0xffff;
    const b = word >>> 16;
    table[a] = (table[a] as number) + 1;
    table[b] = (table[b] as number) + 1;
    const valueA = (word << 16) >> 16;
    const valueB = word >> 16;
    sum = (sum + valueA + valueB) | 0;
    squaresA += Math.imul(valueA, valueA);
    squaresB += Math.imul(valueB, valueB);
  }
  sums.sum = sum;
  sums.squares = squaresA + squaresB;
}

function countUnsigned(words: Uint32Array, count: number, table: Int32Array): void {
  let sum = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    const a = word & 0xffff;
    const b = word >>> 16;
    table[a] = (table[a] as number) + 1;
    table[b] = (table[b] as number) + 1;
    sum = (sum + a + b) | 0;
    // A square of 16 bits without a sign has 32.
    squaresA += Math.imul(a, a) >>> 0;
    squaresB += Math.imul(b, b) >>> 0;
  }
  sums.sum = sum;
  sums.squares = squaresA + squaresB;
}

function swap(words: Uint32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    words[i] = ((word & 0x00ff00ff) << 8) | ((word >>> 8) & 0x00ff00ff);
  }
}
