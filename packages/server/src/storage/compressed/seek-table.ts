/**
 * The seek table of the Zstandard Seekable Format 0.1.0 (`contrib/seekable_format` of zstd): a skippable frame (RFC 8878
 * section 3.1.2) at the end that says how long each frame is, stored and decoded.
 */
const SKIPPABLE_MAGIC = 0x184d2a5e;
const FOOTER_MAGIC = 0x8f92eab1;
const SKIPPABLE_HEADER_BYTES = 8;
const ENTRY_BYTES = 8;
/** Of an entry when the descriptor says that it has the checksum of its frame. */
const CHECKED_ENTRY_BYTES = 12;
const CHECKSUM_FLAG = 0x80;
const RESERVED_FLAGS = 0x7c;
/** Number of frames, descriptor, magic number. */
export const FOOTER_BYTES = 9;

/** Lengths of one frame, bytes. */
export interface FrameLength {
  readonly storedBytes: number;
  readonly bytes: number;
}

export interface FrameRange {
  readonly first: number;
  readonly last: number;
  /** Of the stored bytes of these frames, inclusive. */
  readonly start: number;
  readonly end: number;
}

export class SeekTable {
  /** Where each frame begins, and the last one ends; stored and decoded. */
  readonly #stored: Float64Array;
  readonly #decoded: Float64Array;

  constructor(frames: readonly FrameLength[]) {
    this.#stored = new Float64Array(frames.length + 1);
    this.#decoded = new Float64Array(frames.length + 1);
    for (const [at, { storedBytes, bytes }] of frames.entries()) {
      this.#stored[at + 1] = (this.#stored[at] as number) + storedBytes;
      this.#decoded[at + 1] = (this.#decoded[at] as number) + bytes;
    }
  }

  get frames(): number {
    return this.#stored.length - 1;
  }

  /** Decoded bytes of all frames. */
  get sizeBytes(): number {
    return this.#decoded[this.frames] as number;
  }

  /** Stored bytes of all frames, without the table. */
  get storedBytes(): number {
    return this.#stored[this.frames] as number;
  }

  lengthOf(frame: number): FrameLength {
    const between = (offsets: Float64Array) => (offsets[frame + 1] as number) - (offsets[frame] as number);
    return { storedBytes: between(this.#stored), bytes: between(this.#decoded) };
  }

  /** Where a frame begins in the decoded bytes. */
  offsetOf(frame: number): number {
    return this.#decoded[frame] as number;
  }

  /** The frames of decoded bytes `start` to `end` (inclusive), which must be less than `sizeBytes`. */
  find(start: number, end: number): FrameRange {
    const [first, last] = [this.#frameAt(start), this.#frameAt(end)];
    return { first, last, start: this.#stored[first] as number, end: (this.#stored[last + 1] as number) - 1 };
  }

  #frameAt(offset: number): number {
    let [low, high] = [0, this.frames - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#decoded[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** @returns the skippable frame that follows the others. */
export function printSeekTable(frames: readonly FrameLength[]): Buffer {
  const table = Buffer.alloc(SKIPPABLE_HEADER_BYTES + frames.length * ENTRY_BYTES + FOOTER_BYTES);
  let at = table.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  at = table.writeUInt32LE(table.length - SKIPPABLE_HEADER_BYTES, at);
  for (const { storedBytes, bytes } of frames) {
    at = table.writeUInt32LE(storedBytes, at);
    at = table.writeUInt32LE(bytes, at);
  }
  at = table.writeUInt32LE(frames.length, at);
  at = table.writeUInt8(0, at);
  table.writeUInt32LE(FOOTER_MAGIC, at);
  return table;
}

/** @param footer the last `FOOTER_BYTES`. @returns the bytes of the whole skippable frame; null: there is none. */
export function tableBytes(footer: Buffer): number | null {
  const flags = footer.readUInt8(4);
  if (footer.readUInt32LE(5) !== FOOTER_MAGIC || (flags & RESERVED_FLAGS) !== 0) return null;
  const entryBytes = flags & CHECKSUM_FLAG ? CHECKED_ENTRY_BYTES : ENTRY_BYTES;
  return SKIPPABLE_HEADER_BYTES + footer.readUInt32LE(0) * entryBytes + FOOTER_BYTES;
}

/** @param table as `tableBytes` says. @param storedBytes of all frames and the table. @returns null: it is not valid. */
export function parseSeekTable(table: Buffer, storedBytes: number): SeekTable | null {
  if (table.readUInt32LE(0) !== SKIPPABLE_MAGIC) return null;
  if (table.readUInt32LE(4) !== table.length - SKIPPABLE_HEADER_BYTES) return null;
  const footer = table.subarray(-FOOTER_BYTES);
  const entryBytes = footer.readUInt8(4) & CHECKSUM_FLAG ? CHECKED_ENTRY_BYTES : ENTRY_BYTES;
  const frames = Array.from({ length: footer.readUInt32LE(0) }, (_, idx) => {
    const at = SKIPPABLE_HEADER_BYTES + idx * entryBytes;
    return { storedBytes: table.readUInt32LE(at), bytes: table.readUInt32LE(at + 4) };
  });
  const parsed = new SeekTable(frames);
  return parsed.storedBytes + table.length === storedBytes ? parsed : null;
}
