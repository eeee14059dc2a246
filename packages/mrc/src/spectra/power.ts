import { Fft } from './fft.ts';

/** The averaged power spectrum of tiles of an image, from frequency 0 up to a limit along each axis. */
export interface PowerSpectrum {
  /** Pixels of a tile along one side: the frequencies are multiples of 1 / edge of a cycle per pixel. */
  readonly edge: number;
  /** The greatest kept frequency: kx goes from 0 to `kept`, ky from -kept to kept. */
  readonly kept: number;
  /** |F|² at kx × (2 × kept + 1) + ky + kept, the mean over the tiles; frequencies with kx < 0 mirror those. */
  readonly power: Float64Array;
}

/** Values of 4 bytes in a line of the processor's cache. */
const LINE_VALUES = 16;

/**
 * Sums the power |F|² of square tiles of an image. Each is multiplied by a Hann window. Rows may be added for several
 * tiles in turn. Two rows are transformed together, as the real and the imaginary part of one transform, and only the
 * frequencies up to `kept` go on to the columns. Memory: 8 bytes × edge × kept for each open tile.
 */
export class PowerSum {
  readonly #edge: number;
  readonly #kept: number;
  /** Values of a column: a power of two would put all columns of a row into the same few lines of the cache. */
  readonly #stride: number;
  readonly #fft: Fft;
  readonly #window: Float64Array;
  readonly #sum: Float64Array;
  /** Two rows, then their transform; later a column. */
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;
  /** Of finished tiles, for the next ones. */
  readonly #free: TileRows[] = [];
  #tiles = 0;

  /** `edge`: pixels of a tile along one side, a power of two. `kept`: the greatest frequency, at most edge / 2. */
  constructor(edge: number, kept = edge / 2) {
    this.#edge = edge;
    this.#kept = kept;
    this.#stride = edge + LINE_VALUES;
    this.#fft = new Fft(edge);
    this.#window = Float64Array.from({ length: edge }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / edge));
    this.#sum = new Float64Array((kept + 1) * (2 * kept + 1));
    this.#real = new Float64Array(edge);
    this.#imaginary = new Float64Array(edge);
  }

  /** A tile whose rows are still to be added. */
  open(): TileRows {
    const free = this.#free.pop();
    if (free) return free;
    const values = (this.#kept + 1) * this.#stride;
    return {
      first: new Float64Array(this.#edge),
      real: new Float32Array(values),
      imaginary: new Float32Array(values),
    };
  }

  /**
   * Adds row `y` of a tile, from 0 in order: `edge` values from `values[from]`. They are relative to the mean of the
   * image; 0 stands for what is not finite.
   */
  addRow(tile: TileRows, y: number, values: Float32Array, from: number): void {
    const edge = this.#edge;
    const window = this.#window;
    const target = y % 2 === 0 ? tile.first : this.#imaginary;
    const weight = window[y] as number;
    for (let x = 0; x < edge; x++) target[x] = (values[from + x] as number) * (window[x] as number) * weight;
    if (y % 2 === 0) return;
    this.#real.set(tile.first);
    this.#fft.transform(this.#real, this.#imaginary);
    this.#separate(tile, y - 1);
    if (y === edge - 1) this.#finish(tile);
  }

  /** The mean of all finished tiles. No tile may be added afterwards. */
  result(): PowerSpectrum {
    const power = this.#sum;
    for (let at = 0; at < power.length; at++) power[at] = (power[at] as number) / this.#tiles;
    return { edge: this.#edge, kept: this.#kept, power };
  }

  /** Splits Z into the transforms of two rows: (Z(k) + Z*(-k)) / 2 and (Z(k) - Z*(-k)) / 2i. */
  #separate({ real, imaginary }: TileRows, y: number): void {
    const edge = this.#edge;
    const [zr, zi] = [this.#real, this.#imaginary];
    for (let k = 0, at = y; k <= this.#kept; k++, at += this.#stride) {
      const mirrored = (edge - k) % edge;
      const [re, im] = [zr[k] as number, zi[k] as number];
      const [mirroredRe, mirroredIm] = [zr[mirrored] as number, zi[mirrored] as number];
      real[at] = (re + mirroredRe) / 2;
      imaginary[at] = (im - mirroredIm) / 2;
      real[at + 1] = (im + mirroredIm) / 2;
      imaginary[at + 1] = (mirroredRe - re) / 2;
    }
  }

  #finish(tile: TileRows): void {
    const { real, imaginary } = tile;
    const edge = this.#edge;
    const kept = this.#kept;
    const stride = this.#stride;
    const sum = this.#sum;
    const [re, im] = [this.#real, this.#imaginary];
    for (let kx = 0; kx <= kept; kx++) {
      for (let y = 0; y < edge; y++) {
        re[y] = real[kx * stride + y] as number;
        im[y] = imaginary[kx * stride + y] as number;
      }
      this.#fft.transform(re, im);
      const middle = kx * (2 * kept + 1) + kept;
      for (let ky = -kept; ky <= kept; ky++) {
        const at = ky < 0 ? ky + edge : ky;
        sum[middle + ky] = (sum[middle + ky] as number) + (re[at] as number) ** 2 + (im[at] as number) ** 2;
      }
    }
    this.#tiles++;
    this.#free.push(tile);
  }
}

/** A tile in the making: its even row, and the transforms of its rows, one column after the other. */
export interface TileRows {
  readonly first: Float64Array;
  readonly real: Float32Array;
  readonly imaginary: Float32Array;
}

/** The mean power around a frequency, kx and ky in units of 1 / edge: a tent of `reach` on each side, at least 1. */
export function powerAt({ kept, power }: PowerSpectrum, kx: number, ky: number, reach: number): number {
  const x = kx < 0 ? -kx : kx;
  const y = kx < 0 ? -ky : ky;
  const rows = 2 * kept + 1;
  let sum = 0;
  let weights = 0;
  for (let i = Math.ceil(x - reach); i < x + reach; i++) {
    const weightX = 1 - Math.abs(i - x) / reach;
    for (let j = Math.ceil(y - reach); j < y + reach; j++) {
      // Frequencies of negative kx are the mirrored ones.
      const column = i < 0 ? -i : i;
      const row = i < 0 ? -j : j;
      if (column > kept || row < -kept || row > kept) continue;
      const weight = weightX * (1 - Math.abs(j - y) / reach);
      sum += weight * (power[column * rows + row + kept] as number);
      weights += weight;
    }
  }
  return weights > 0 ? sum / weights : Number.NaN;
}
