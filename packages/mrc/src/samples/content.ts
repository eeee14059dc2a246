/**
 * Files of any size from a seed, for tests and benchmarks: pseudo-random bytes that no compressor shrinks. Any range
 * can be generated without the bytes before it. Not for cryptography.
 *
 * The file consists of pages of 4 KiB. Each is the same random page with its 32-bit words XORed with a key that is
 * unique in the file (up to 16 TiB), so no two pages are equal.
 */
const PAGE_BYTES = 4096;
const PAGE_WORDS = PAGE_BYTES / 4;

export interface MrcContent {
  /** The first bytes of the file: its header, and its extended header if that matters. */
  readonly header: Uint8Array;
  /** Size of the whole file, bytes; it need not fit the header. */
  readonly sizeBytes: number;
  /** An integer, of which 32 bits are used. */
  readonly seed: number;
}

/** Returns any range of a file. */
export type ContentReader = (startByte: number, endByte: number) => Uint8Array<ArrayBuffer>;

/**
 * Makes a reader of a generated file. `startByte` counts from 0 and `endByte` is excluded; a range is cut at the end of
 * the file. Each call returns a new array.
 */
export function openContent({ header, sizeBytes, seed }: MrcContent): ContentReader {
  const base = randomWords(PAGE_WORDS, seed);
  const page = new Uint32Array(PAGE_WORDS);
  const pageBytes = new Uint8Array(page.buffer);
  return (startByte, endByte) => {
    const end = Math.min(endByte, sizeBytes);
    const range = new Uint8Array(Math.max(0, end - startByte));
    for (let at = startByte; at < end; ) {
      const pageIndex = Math.floor(at / PAGE_BYTES);
      const key = scramble(pageIndex);
      for (let word = 0; word < PAGE_WORDS; word += 1) page[word] = base[word]! ^ key;
      const pageStart = pageIndex * PAGE_BYTES;
      const until = Math.min(end, pageStart + PAGE_BYTES);
      range.set(pageBytes.subarray(at - pageStart, until - pageStart), at - startByte);
      at = until;
    }
    range.set(header.subarray(startByte, startByte + range.length));
    return range;
  };
}

/** Generates a whole file in chunks of `chunkBytes` (the last one may be shorter), each a new array. */
export function* generateMrc(content: MrcContent, chunkBytes: number): Generator<Uint8Array<ArrayBuffer>> {
  const read = openContent(content);
  for (let start = 0; start < content.sizeBytes; start += chunkBytes) yield read(start, start + chunkBytes);
}

/** Murmur3's finaliser: a permutation of the 32-bit integers, so different pages get different keys. */
function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** Weyl sequence through the same permutation (SplitMix32). */
function randomWords(length: number, seed: number): Uint32Array {
  return Uint32Array.from({ length }, (_, index) => scramble(seed + Math.imul(index + 1, 0x9e3779b9)));
}
