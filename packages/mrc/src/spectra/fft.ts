/** Discrete Fourier transforms of one length, in place: radix 2, decimation in time, not scaled. */
export class Fft {
  readonly size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  /** The index of each element with its bits reversed: the order in which the transform starts. */
  readonly #reversed: Uint32Array;

  /** @throws RangeError unless `size` is a power of two, at least 2. */
  constructor(size: number) {
    if (size < 2 || 2 ** Math.round(Math.log2(size)) !== size) throw new RangeError(`${size} is not a power of two`);
    this.size = size;
    this.#cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.#sin = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.#reversed = new Uint32Array(size);
    for (let i = 1; i < size; i++) {
      this.#reversed[i] = ((this.#reversed[i >> 1] as number) >> 1) | (i & 1 ? size >> 1 : 0);
    }
  }

  /** Replaces `size` complex numbers, their real and imaginary parts, by their transform exp(-2πi jk / size). */
  transform(real: Float64Array, imaginary: Float64Array): void {
    this.#reorder(real, imaginary);
    addPairs(real, imaginary, this.size);
    const { size } = this;
    const cosines = this.#cos;
    const sines = this.#sin;
    for (let half = 2; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let i = start, turn = 0; i < start + half; i++, turn += stride) {
          const cos = cosines[turn] as number;
          const sin = sines[turn] as number;
          const re = real[i + half] as number;
          const im = imaginary[i + half] as number;
          const turnedRe = re * cos - im * sin;
          const turnedIm = re * sin + im * cos;
          real[i + half] = (real[i] as number) - turnedRe;
          imaginary[i + half] = (imaginary[i] as number) - turnedIm;
          real[i] = (real[i] as number) + turnedRe;
          imaginary[i] = (imaginary[i] as number) + turnedIm;
        }
      }
    }
  }

  #reorder(real: Float64Array, imaginary: Float64Array): void {
    const reversed = this.#reversed;
    for (let i = 0; i < reversed.length; i++) {
      const j = reversed[i] as number;
      if (j <= i) continue;
      const re = real[i] as number;
      const im = imaginary[i] as number;
      real[i] = real[j] as number;
      imaginary[i] = imaginary[j] as number;
      real[j] = re;
      imaginary[j] = im;
    }
  }
}

/** The first step, which turns nothing: sums and differences of neighbours. */
function addPairs(real: Float64Array, imaginary: Float64Array, size: number): void {
  for (let i = 0; i < size; i += 2) {
    const re = real[i + 1] as number;
    const im = imaginary[i + 1] as number;
    real[i + 1] = (real[i] as number) - re;
    imaginary[i + 1] = (imaginary[i] as number) - im;
    real[i] = (real[i] as number) + re;
    imaginary[i] = (imaginary[i] as number) + im;
  }
}
