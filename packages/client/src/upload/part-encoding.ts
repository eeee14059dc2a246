/** Decides for each part of a file whether it is compressed, and compresses it. */
import type { EncodedBody } from '../api/api.ts';
import type { PartEncoder } from '../ports.ts';
import type { LoadedPart } from './part-reader.ts';

/** Bytes of a part that show how well it compresses: a few milliseconds. */
const SAMPLE_BYTES = 1024 * 1024;
/** On a busy machine some of these pieces wait for a processor: the fastest one counts. */
const PIECE_BYTES = SAMPLE_BYTES / 4;
/** Below, compression costs more than it saves. */
const LEAST_RATIO = 1.3;
/** Compression must be faster than the link by this factor. */
const LEAST_MARGIN = 1.25;
/** After so many parts that go without, another one is tried. */
const RETRY_PARTS = 16;
/** When compression and not the link may be the limit, so many parts in `REMEASURE_PARTS` go without, to measure the link. */
const PLAIN_PARTS = 4;
const REMEASURE_PARTS = 64;
/** Their content is compressed already. */
const COMPRESSED_NAMES = /\.(eer|tiff?|gz|bz2|xz|zst|lz4|zip|7z|mrcz|jpe?g|png)$/i;

export class PartEncoding {
  readonly #encoder: PartEncoder;
  readonly #linkRate: () => number | null;
  readonly #now: () => number;
  #isAllowed: boolean;
  /** Of the last part or sample; null: not known. */
  #ratio: number | null = null;
  /** Bytes of parts per second. */
  #bytesPerSecond = 0;
  /** Parts until another one is tried. */
  #skipped = 0;
  #parts = 0;

  /** @param linkRate bytes per second that the connections carry; null: not known yet. @param now milliseconds. */
  constructor(
    encoder: PartEncoder,
    name: string,
    linkRate: () => number | null,
    now: () => number = () => performance.now(),
  ) {
    this.#encoder = encoder;
    this.#linkRate = linkRate;
    this.#now = now;
    this.#isAllowed = !COMPRESSED_NAMES.test(name);
  }

  /** True when the last part became smaller. */
  get isUseful(): boolean {
    return this.#isAllowed && this.#ratio !== null && this.#ratio >= LEAST_RATIO;
  }

  /** @returns null: the part is sent as it is. */
  async encode({ body }: Pick<LoadedPart, 'body'>): Promise<EncodedBody | null> {
    if (!this.#isAllowed || !(body instanceof Uint8Array) || body.length === 0) return null;
    const linkRate = this.#linkRate();
    if (linkRate === null || !(await this.#isWorth(body, linkRate))) return null;
    const bytes = await this.#measure(body);
    return bytes.length < body.length ? { coding: this.#encoder.coding, bytes } : null;
  }

  /** The server, or something on the path, does not take compressed parts. */
  forbid(): void {
    this.#isAllowed = false;
  }

  async #isWorth(body: Uint8Array<ArrayBuffer>, linkRate: number): Promise<boolean> {
    if (this.#skipped > 0 && this.#skipped-- > 0) return false;
    // One part that took long may have waited for the processor.
    if (this.#ratio === null || this.#bytesPerSecond < LEAST_MARGIN * linkRate) await this.#sample(middleOf(body));
    const ratio = this.#ratio ?? 1;
    // A processor that was busy with other things may have time later.
    if (ratio < LEAST_RATIO || this.#bytesPerSecond < LEAST_MARGIN * linkRate) {
      this.#ratio = null;
      this.#skipped = RETRY_PARTS;
      return false;
    }
    const isLimit = linkRate * ratio * LEAST_MARGIN > this.#bytesPerSecond;
    return !isLimit || this.#parts++ % REMEASURE_PARTS >= PLAIN_PARTS;
  }

  async #sample(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    let [encodedBytes, fastest] = [0, 0];
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      encodedBytes += (await this.#measure(bytes.subarray(at, at + PIECE_BYTES))).length;
      fastest = Math.max(fastest, this.#bytesPerSecond);
    }
    this.#ratio = bytes.length / encodedBytes;
    this.#bytesPerSecond = fastest;
  }

  async #measure(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const startedMs = this.#now();
    const encoded = await this.#encoder.encode(bytes);
    this.#bytesPerSecond = (bytes.length * 1000) / Math.max(0.1, this.#now() - startedMs);
    this.#ratio = bytes.length / encoded.length;
    return encoded;
  }
}

/** The header and the edges of an image are not like the rest. */
function middleOf(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const start = Math.max(0, Math.floor((body.length - SAMPLE_BYTES) / 2));
  return body.subarray(start, start + SAMPLE_BYTES);
}
