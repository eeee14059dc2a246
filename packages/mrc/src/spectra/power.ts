import { Fft } from './fft.ts';

/**
 * Sums the power |F|² of square tiles of an image. The mean of each tile is subtracted and a Hann window applied. Two
 * tiles are transformed together, as the real and the imaginary part of Z: the sum of their powers is (|Z(k)|² +
 * |Z(-k)|²) / 2.
 */
export class PowerSum {
  readonly #edge: number;
  readonly #fft: Fft;
  readonly #window: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;
  /** |Z|² of all pairs, transposed: ky runs fastest. */
  readonly #sum: Float64Array;
  #isHalf = false;

  /** `edge`: pixels of a tile along one side, a power of two. */
  constructor(edge: number) {
    this.#edge = edge;
    this.#fft = new Fft(edge);
    this.#window = Float64Array.from({ length: edge }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / edge));
    this.#real = new Float64Array(edge * edge);
    this.#imaginary = new Float64Array(edge * edge);
    this.#sum = new Float64Array(edge * edge);
  }

  /** Adds a tile of edge × edge values. Values that are not finite count as the mean of the others. */
  add(tile: Float32Array): void {
    this.#weigh(tile, this.#isHalf ? this.#imaginary : this.#real);
    if (this.#isHalf) this.#transform();
    this.#isHalf = !this.#isHalf;
  }

  /**
   * The summed power of all tiles: kx runs fastest; kx and ky go from 0 to edge - 1. No tile may be added afterwards.
   */
  result(): Float64Array {
    if (this.#isHalf) {
      this.#imaginary.fill(0);
      this.#transform();
      this.#isHalf = false;
    }
    const edge = this.#edge;
    return this.#sum.map((_, index) => {
      const kx = index % edge;
      const ky = Math.floor(index / edge);
      const mirrored = ((edge - kx) % edge) * edge + ((edge - ky) % edge);
      return ((this.#sum[kx * edge + ky] as number) + (this.#sum[mirrored] as number)) / 2;
    });
  }

  #weigh(tile: Float32Array, target: Float64Array): void {
    const mean = meanOf(tile);
    const edge = this.#edge;
    for (let y = 0, i = 0; y < edge; y++) {
      for (let x = 0; x < edge; x++, i++) {
        const value = tile[i] as number;
        const weight = (this.#window[x] as number) * (this.#window[y] as number);
        target[i] = Number.isFinite(value) ? (value - mean) * weight : 0;
      }
    }
  }

  #transform(): void {
    const edge = this.#edge;
    const real = this.#real;
    const imaginary = this.#imaginary;
    for (let start = 0; start < real.length; start += edge) {
      this.#fft.transform(real.subarray(start, start + edge), imaginary.subarray(start, start + edge));
    }
    const columnRe = new Float64Array(edge);
    const columnIm = new Float64Array(edge);
    for (let x = 0; x < edge; x++) {
      for (let y = 0; y < edge; y++) {
        columnRe[y] = real[y * edge + x] as number;
        columnIm[y] = imaginary[y * edge + x] as number;
      }
      this.#fft.transform(columnRe, columnIm);
      for (let y = 0; y < edge; y++) {
        const power = (columnRe[y] as number) ** 2 + (columnIm[y] as number) ** 2;
        this.#sum[x * edge + y] = (this.#sum[x * edge + y] as number) + power;
      }
    }
  }
}

function meanOf(values: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}
