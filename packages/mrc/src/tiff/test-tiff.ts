/** Writes TIFF, BigTIFF and EER files for tests, with nothing of the code that reads them. */

export interface Tag {
  readonly tag: number;
  /** 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, 7 UNDEFINED, 16 LONG8. */
  readonly type: 2 | 3 | 4 | 5 | 7 | 16;
  /** Of a RATIONAL: numerators, over 1. */
  readonly values: readonly number[] | string;
}

export interface Image {
  readonly tags: readonly Tag[];
  /** Strips or tiles; their places and lengths become tags. */
  readonly blocks: readonly Uint8Array[];
  readonly isTiled?: boolean;
}

export interface Format {
  readonly isBig?: boolean;
  readonly byteOrder?: 'little' | 'big';
}

const TYPE_BYTES = { 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 16: 8 } as const;

/** The data of an image come before its directory, and the directories in order. */
export function writeTiff(images: readonly Image[], { isBig = false, byteOrder = 'little' }: Format = {}): Uint8Array {
  const isLittle = byteOrder === 'little';
  const word = isBig ? 8 : 4;
  const bytes: number[] = [];
  const put = (at: number, value: number, size: number) => {
    for (let i = 0; i < size; i++) {
      const digit = Math.floor(value / 256 ** i) % 256;
      bytes[at + (isLittle ? i : size - 1 - i)] = digit;
    }
  };
  const append = (data: ArrayLike<number>) => {
    if (bytes.length % 2 === 1) bytes.push(0);
    const at = bytes.length;
    for (let i = 0; i < data.length; i++) bytes.push(data[i] as number);
    return at;
  };
  put(0, isLittle ? 0x4949 : 0x4d4d, 2);
  put(2, isBig ? 43 : 42, 2);
  if (isBig) put(4, isLittle ? 8 : 8, 2);
  if (isBig) put(6, 0, 2);
  let link = isBig ? 8 : 4;
  put(link, 0, word);
  for (const { tags, blocks, isTiled } of images) {
    const places = blocks.map((block) => append(block));
    const own: Tag[] = [
      { tag: isTiled ? 324 : 273, type: isBig ? 16 : 4, values: places },
      { tag: isTiled ? 325 : 279, type: 4, values: blocks.map(({ length }) => length) },
    ];
    const all = [...own.filter(({ tag }) => !tags.some((other) => other.tag === tag)), ...tags];
    all.sort((a, b) => a.tag - b.tag);
    const written = all.map(({ tag, type, values }) => {
      const list = typeof values === 'string' ? [...new TextEncoder().encode(values), 0] : [...values];
      const size = TYPE_BYTES[type];
      if (list.length * size <= word) return { tag, type, list, size, at: null };
      const at = append(new Uint8Array(list.length * size));
      list.forEach((value, index) => {
        put(at + index * size, value, type === 5 ? 4 : size);
        if (type === 5) put(at + index * size + 4, 1, 4);
      });
      return { tag, type, list, size, at };
    });
    const directory = append([]);
    put(link, directory, word);
    put(directory, written.length, isBig ? 8 : 2);
    written.forEach(({ tag, type, list, size, at }, index) => {
      const entry = directory + (isBig ? 8 : 2) + index * (isBig ? 20 : 12);
      put(entry, tag, 2);
      put(entry + 2, type, 2);
      put(entry + 4, list.length, word);
      put(entry + 4 + word, 0, word);
      if (at !== null) put(entry + 4 + word, at, word);
      else for (const [place, value] of list.entries()) put(entry + 4 + word + place * size, value, size);
    });
    link = directory + (isBig ? 8 : 2) + written.length * (isBig ? 20 : 12);
    put(link, 0, word);
  }
  return Uint8Array.from(bytes);
}

export interface Grey {
  readonly width: number;
  readonly height: number;
  /** 8 when not given. */
  readonly bits?: 8 | 16 | 32 | 64;
  readonly format?: 'unsigned' | 'signed' | 'float';
  readonly isLzw?: boolean;
  readonly hasPredictor?: boolean;
  readonly rowsPerStrip?: number;
  /** Width and height of tiles, in the place of strips. */
  readonly tile?: readonly [number, number];
  readonly byteOrder?: 'little' | 'big';
  readonly tags?: readonly Tag[];
}

/** A grey image with the value `worth(x, y)` at each pixel. */
export function greyImage(how: Grey, worth: (x: number, y: number) => number): Image {
  const { width, height, bits = 8, format = 'unsigned', isLzw = false, tile, hasPredictor = false } = how;
  const rows = how.rowsPerStrip ?? height;
  const [blockWidth, blockHeight] = tile ?? [width, rows];
  const blocks: Uint8Array[] = [];
  for (let top = 0; top < height; top += blockHeight) {
    for (let left = 0; left < width; left += blockWidth) {
      const tall = tile ? blockHeight : Math.min(blockHeight, height - top);
      const data = new Uint8Array((blockWidth * tall * bits) / 8);
      const view = new DataView(data.buffer);
      for (let y = 0; y < tall; y++) {
        let before = 0;
        for (let x = 0; x < blockWidth; x++) {
          const isInside = left + x < width && top + y < height;
          const value = isInside ? worth(left + x, top + y) : 0;
          const at = ((y * blockWidth + x) * bits) / 8;
          store(view, at, hasPredictor ? value - before : value, bits, format, how.byteOrder !== 'big');
          before = value;
        }
      }
      blocks.push(isLzw ? encodeLzw(data) : data);
    }
  }
  const tags: Tag[] = [
    { tag: 256, type: 4, values: [width] },
    { tag: 257, type: 4, values: [height] },
    { tag: 258, type: 3, values: [bits] },
    { tag: 259, type: 3, values: [isLzw ? 5 : 1] },
    { tag: 262, type: 3, values: [1] },
    { tag: 277, type: 3, values: [1] },
    { tag: 339, type: 3, values: [{ unsigned: 1, signed: 2, float: 3 }[format]] },
    ...(hasPredictor ? [{ tag: 317, type: 3, values: [2] } as const] : []),
    ...(tile
      ? ([
          { tag: 322, type: 3, values: [tile[0]] },
          { tag: 323, type: 3, values: [tile[1]] },
        ] as const)
      : [{ tag: 278, type: 4, values: [rows] } as const]),
    ...(how.tags ?? []),
  ];
  return { tags, blocks, isTiled: tile !== undefined };
}

function store(view: DataView, at: number, value: number, bits: number, format: string, isLittle: boolean): void {
  if (bits === 8) view.setUint8(at, value);
  else if (bits === 16) view.setUint16(at, value, isLittle);
  else if (bits === 64) view.setFloat64(at, value, isLittle);
  else if (format === 'float') view.setFloat32(at, value, isLittle);
  else view.setUint32(at, value, isLittle);
}

/** Bits in the order of TIFF's LZW, most significant first, or of EER, least significant first. */
class BitWriter {
  readonly #bits: number[] = [];

  high(value: number, width: number): void {
    for (let bit = width - 1; bit >= 0; bit--) this.#bits.push((value >> bit) & 1);
  }

  low(value: number, width: number): void {
    for (let bit = 0; bit < width; bit++) this.#bits.push((value >> bit) & 1);
  }

  bytes(first: 'high' | 'low'): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, at) => {
      bytes[at >> 3] = (bytes[at >> 3] as number) | (bit << (first === 'high' ? 7 - (at & 7) : at & 7));
    });
    return bytes;
  }
}

/** TIFF 6.0, section 13. */
export function encodeLzw(data: Uint8Array): Uint8Array {
  const out = new BitWriter();
  let table = new Map<string, number>();
  let [next, width] = [258, 9];
  const codeOf = (text: string) => (text.length === 1 ? text.charCodeAt(0) : (table.get(text) as number));
  out.high(256, width);
  let known = '';
  for (const byte of data) {
    const longer = known + String.fromCharCode(byte);
    if (longer.length === 1 || table.has(longer)) {
      known = longer;
      continue;
    }
    out.high(codeOf(known), width);
    table.set(longer, next++);
    if (next === 512 || next === 1024 || next === 2048) width++;
    if (next === 4095) {
      out.high(256, width);
      table = new Map();
      [next, width] = [258, 9];
    }
    known = String.fromCharCode(byte);
  }
  if (known !== '') {
    out.high(codeOf(known), width);
    next++;
    if (next === 512 || next === 1024 || next === 2048) width++;
  }
  out.high(257, width);
  return out.bytes('high');
}

/** An electron: its pixel, and where in it, in quarters. */
export interface Electron {
  readonly x: number;
  readonly y: number;
  readonly subX?: number;
  readonly subY?: number;
}

export interface EerFrame {
  readonly width: number;
  readonly height: number;
  readonly compression: 65_000 | 65_001 | 65_002;
  /** Of compression 65002. */
  readonly bits?: readonly [number, number, number];
  /** Strips that the codes are cut into, at bytes. */
  readonly strips?: number;
  readonly tags?: readonly Tag[];
}

/** One frame of an EER movie with these electrons, at most one in each pixel. */
export function eerImage(how: EerFrame, electrons: readonly Electron[]): Image {
  const { width, height, compression, strips = 1 } = how;
  const [skip, horizontal, vertical] = how.bits ?? [compression === 65_000 ? 8 : 7, 2, 2];
  const most = 2 ** skip - 1;
  const out = new BitWriter();
  let from = 0;
  const run = (to: number) => {
    let gap = to - from;
    for (; gap >= most; gap -= most) {
      out.low(most, skip);
      if (compression === 65_000) out.low(0, 4);
    }
    out.low(gap, skip);
  };
  const sorted = [...electrons].sort((a, b) => a.y * width + a.x - (b.y * width + b.x));
  for (const { x, y, subX = 0, subY = 0 } of sorted) {
    const at = y * width + x;
    run(at);
    out.low(subX, horizontal);
    out.low(subY, vertical);
    from = at + 1;
  }
  run(width * height);
  // Whole words of 2 bytes, as detectors write them.
  const codes = out.bytes('low');
  const data = new Uint8Array(2 * Math.ceil(codes.length / 2));
  data.set(codes);
  const each = 2 * Math.ceil(data.length / 2 / strips);
  const blocks = Array.from({ length: strips }, (_, at) => data.subarray(at * each, (at + 1) * each));
  const tags: Tag[] = [
    { tag: 256, type: 4, values: [width] },
    { tag: 257, type: 4, values: [height] },
    { tag: 259, type: 3, values: [compression] },
    { tag: 278, type: 4, values: [Math.ceil(height / strips)] },
    ...(how.bits ? how.bits.map((value, at) => ({ tag: 65_007 + at, type: 3, values: [value] }) as const) : []),
    ...(how.tags ?? []),
  ];
  return { tags, blocks };
}

/** The metadata of an EER file, for the first frame. */
export function eerMetadata(items: Readonly<Record<string, string>>): Tag {
  const lines = Object.entries(items).map(([name, value]) => `<item name="${name}">${value}</item>`);
  return { tag: 65_001, type: 7, values: [...new TextEncoder().encode(`<metadata>${lines.join('\n')}</metadata>`)] };
}
