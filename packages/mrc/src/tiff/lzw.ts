/** Decodes LZW as TIFF has it (TIFF 6.0, section 13): codes of 9 to 12 bits, the most significant bit first. */

const [CLEAR, END, FIRST] = [256, 257, 258];
const MAX_CODES = 4_096;

/** Decodes the data of one strip or tile piece by piece, in 20 KiB of memory. */
export class LzwDecoder {
  readonly #prefix = new Uint16Array(MAX_CODES);
  readonly #suffix = new Uint8Array(MAX_CODES);
  readonly #length = new Uint16Array(MAX_CODES);
  /** The rest of the text of a code that did not fit into the last target. */
  readonly #rest = new Uint8Array(MAX_CODES);
  #restFrom = 0;
  #restTo = 0;
  #bits = 0;
  #bitCount = 0;
  #width = 9;
  #next = FIRST;
  /** The code before; -1 after a clear code. */
  #before = -1;
  #isEnded = false;

  constructor() {
    for (let code = 0; code < CLEAR; code++) {
      this.#suffix[code] = code;
      this.#length[code] = 1;
    }
  }

  /**
   * Decodes until `target` is full or `input` is used up.
   *
   * @returns how many bytes were used and written; `isEnded` when the data have ended by themselves.
   * @throws RangeError for a code that cannot be.
   */
  decode(input: Uint8Array, target: Uint8Array): { used: number; written: number; isEnded: boolean } {
    let [used, written] = [0, this.#writeRest(target)];
    while (written < target.length && !this.#isEnded) {
      while (this.#bitCount < this.#width && used < input.length) {
        this.#bits = ((this.#bits << 8) | (input[used++] as number)) & 0xff_ffff;
        this.#bitCount += 8;
      }
      if (this.#bitCount < this.#width) break;
      this.#bitCount -= this.#width;
      const code = (this.#bits >> this.#bitCount) & ((1 << this.#width) - 1);
      if (code === END) this.#isEnded = true;
      else if (code === CLEAR) this.#clear();
      else written = this.#take(code, target, written);
    }
    return { used, written, isEnded: this.#isEnded };
  }

  #clear(): void {
    this.#width = 9;
    this.#next = FIRST;
    this.#before = -1;
  }

  #take(code: number, target: Uint8Array, at: number): number {
    const before = this.#before;
    if (before < 0 ? code >= CLEAR : code > this.#next || (code === this.#next && this.#next === MAX_CODES)) {
      throw new RangeError(`code ${code} of ${this.#next}`);
    }
    if (before >= 0 && this.#next < MAX_CODES) {
      // The text of a new code is that of the code before, and the first byte of this one.
      this.#prefix[this.#next] = before;
      this.#suffix[this.#next] = this.#firstOf(code === this.#next ? before : code);
      this.#length[this.#next] = (this.#length[before] as number) + 1;
      this.#next++;
      // One code early, as all programs have it.
      if (this.#next === (1 << this.#width) - 1 && this.#width < 12) this.#width++;
    }
    this.#before = code;
    return this.#write(code, target, at);
  }

  #firstOf(code: number): number {
    let first = code;
    while (first >= CLEAR) first = this.#prefix[first] as number;
    return first;
  }

  #write(code: number, target: Uint8Array, at: number): number {
    const length = this.#length[code] as number;
    if (length <= target.length - at) {
      this.#spell(code, target, at, length);
      return at + length;
    }
    this.#spell(code, this.#rest, 0, length);
    [this.#restFrom, this.#restTo] = [0, length];
    return at + this.#writeRest(target.subarray(at));
  }

  /** The text of a code is known from its end. */
  #spell(code: number, target: Uint8Array, at: number, length: number): void {
    for (let place = at + length - 1, left = code; place >= at; place--) {
      target[place] = this.#suffix[left] as number;
      left = this.#prefix[left] as number;
    }
  }

  #writeRest(target: Uint8Array): number {
    const length = Math.min(target.length, this.#restTo - this.#restFrom);
    target.set(this.#rest.subarray(this.#restFrom, this.#restFrom + length));
    this.#restFrom += length;
    return length;
  }
}
