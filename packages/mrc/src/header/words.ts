import { HEADER_BYTES, OFFSET } from './layout.ts';

/** One of the 56 words of 4 bytes before the labels, as it stands in the file. */
export interface HeaderWord {
  /** From 1, as MRC2014 counts. */
  readonly word: number;
  /** As MRC2014 calls it; of a word without a name `EXTRA`. */
  readonly name: string;
  /** In the byte order of the file; text between quotes, and bytes of the machine stamp in hexadecimal. */
  readonly value: string;
  /** The four bytes in hexadecimal, in the order of the file. */
  readonly bytes: string;
}

type Type = 'int' | 'float' | 'text' | 'bytes' | 'shorts';

const NAMED: readonly (readonly [at: number, type: Type, names: string])[] = [
  [OFFSET.nx, 'int', 'NX NY NZ MODE NXSTART NYSTART NZSTART MX MY MZ'],
  [OFFSET.cella, 'float', 'CELLA_X CELLA_Y CELLA_Z CELLB_ALPHA CELLB_BETA CELLB_GAMMA'],
  [OFFSET.axes, 'int', 'MAPC MAPR MAPS'],
  [OFFSET.dmin, 'float', 'DMIN DMAX DMEAN'],
  [OFFSET.ispg, 'int', 'ISPG NSYMBT'],
  [OFFSET.exttyp, 'text', 'EXTTYP'],
  [OFFSET.nversion, 'int', 'NVERSION'],
  [OFFSET.nint, 'shorts', 'NINT,NREAL'],
  [OFFSET.imodStamp, 'int', 'IMODSTAMP IMODFLAGS'],
  [OFFSET.origin, 'float', 'ORIGIN_X ORIGIN_Y ORIGIN_Z'],
  [OFFSET.map, 'text', 'MAP'],
  [OFFSET.machst, 'bytes', 'MACHST'],
  [OFFSET.rms, 'float', 'RMS'],
  [OFFSET.nlabl, 'int', 'NLABL'],
];

const WORDS = new Map(
  NAMED.flatMap(([at, type, names]) =>
    names.split(' ').map((name, index) => [at + 4 * index, { name, type }] as const),
  ),
);

/**
 * The 56 words of a header, nothing interpreted.
 *
 * @param byteOrder of the file; `parseHeader` finds it.
 * @throws RangeError when there are fewer than 1024 bytes.
 */
export function listWords(bytes: Uint8Array, byteOrder: 'little' | 'big'): HeaderWord[] {
  if (bytes.length < HEADER_BYTES) throw new RangeError(`An MRC header has ${HEADER_BYTES} bytes.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return Array.from({ length: OFFSET.label / 4 }, (_, index) => {
    const at = 4 * index;
    const { name, type } = WORDS.get(at) ?? { name: 'EXTRA', type: 'int' as const };
    const four = bytes.subarray(at, at + 4);
    const hex = [...four].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return { word: index + 1, name, value: read(view, at, type, byteOrder === 'little', hex), bytes: hex };
  });
}

function read(view: DataView, at: number, type: Type, isLittle: boolean, hex: string): string {
  switch (type) {
    case 'int':
      return String(view.getInt32(at, isLittle));
    case 'shorts':
      return `${view.getInt16(at, isLittle)}, ${view.getInt16(at + 2, isLittle)}`;
    case 'float':
      return String(shortest(view.getFloat32(at, isLittle)));
    case 'text':
      return JSON.stringify(String.fromCharCode(...Array.from({ length: 4 }, (_, index) => view.getUint8(at + index))));
    case 'bytes':
      return hex;
  }
}

/** The shortest number that a float32 is the nearest to. */
function shortest(value: number): number {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
