/** Decodes the frames of an EER movie: runs of pixels without an electron, each with the position of the next one. */
import type { EerCode } from './compression.ts';

/** Adds the electrons of frames to the pixels of their sum. */
export class EerFrameDecoder {
  readonly #code: EerCode;
  readonly #width: number;
  readonly #height: number;
  /** Pixels of a side of a frame in one pixel of the sum: 2 to the power of this. */
  readonly #shift: number;
  readonly #sum: Float32Array;
  readonly #sumWidth: number;
  #bits = 0;
  #bitCount = 0;
  #x = 0;
  #y = 0;
  #electrons = 0;
  #isEnded = false;

  /** @param sum of ceil(width / binning) × ceil(height / binning) pixels. @param binning a power of 2. */
  constructor(code: EerCode, width: number, height: number, binning: number, sum: Float32Array) {
    this.#code = code;
    this.#width = width;
    this.#height = height;
    this.#shift = Math.log2(binning);
    this.#sum = sum;
    this.#sumWidth = Math.ceil(width / binning);
  }

  /** The electrons of this frame so far. */
  get electrons(): number {
    return this.#electrons;
  }

  /** True when the codes of this frame have reached its last pixel. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Decodes the next bytes of a frame. What follows its last pixel is ignored. */
  decode(input: Uint8Array): void {
    const { skipBits, horizontalBits, verticalBits, isPadded } = this.#code;
    const subBits = horizontalBits + verticalBits;
    const most = (1 << skipBits) - 1;
    const whole = skipBits + subBits;
    let [bits, bitCount, x, y] = [this.#bits, this.#bitCount, this.#x, this.#y];
    let electrons = this.#electrons;
    const [width, height, shift, sum, sumWidth] = [this.#width, this.#height, this.#shift, this.#sum, this.#sumWidth];
    for (let at = 0; at < input.length && !this.#isEnded; ) {
      // At most 24 bits are left over from the byte before, and a code has at most 24.
      while (bitCount < whole && at < input.length) {
        bits |= (input[at++] as number) << bitCount;
        bitCount += 8;
      }
      for (;;) {
        if (bitCount < skipBits) break;
        const skip = bits & most;
        const isOverflow = skip === most;
        const used = isOverflow && !isPadded ? skipBits : whole;
        if (bitCount < used) {
          // The last code leads behind the last pixel, and has no position.
          if (at === input.length && y * width + x + skip >= width * height) this.#isEnded = true;
          break;
        }
        bits >>>= used;
        bitCount -= used;
        x += skip;
        if (x >= width) {
          y += Math.floor(x / width);
          x %= width;
        }
        if (y >= height) {
          this.#isEnded = true;
          break;
        }
        if (isOverflow) continue;
        const place = (y >> shift) * sumWidth + (x >> shift);
        sum[place] = (sum[place] as number) + 1;
        electrons++;
        // The next run is counted from the next pixel.
        x++;
      }
    }
    [this.#bits, this.#bitCount, this.#x, this.#y, this.#electrons] = [bits, bitCount, x, y, electrons];
  }
}
