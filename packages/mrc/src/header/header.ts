import { type ByteOrder, chooseByteOrder } from './byte-order.ts';
import { decodeLabel } from './labels.ts';
import { HEADER_BYTES, LABEL_BYTES, LABEL_COUNT, OFFSET } from './layout.ts';

export type Triple = readonly [number, number, number];

/**
 * The fields of an MRC2014 header as stored in the file, under the names of the standard in lower case. CCP4 maps and
 * IMOD files use the same positions. `meaning.ts` interprets the fields.
 */
export interface MrcHeader {
  readonly byteOrder: ByteOrder;
  /** Columns, rows, sections; NZ counts all sections, volume stacks included. */
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  readonly mode: number;
  /** NXSTART, NYSTART, NZSTART. */
  readonly nstart: Triple;
  /** MX, MY, MZ: intervals along the cell. */
  readonly m: Triple;
  /** Cell edges, Å. */
  readonly cella: Triple;
  /** Cell angles, degrees. */
  readonly cellb: Triple;
  /** MAPC, MAPR, MAPS. */
  readonly axes: Triple;
  readonly dmin: number;
  readonly dmax: number;
  readonly dmean: number;
  /** Deviation from the mean; -1 (undetermined) in a file without a MAP identifier, which may have its origin there. */
  readonly rms: number;
  readonly ispg: number;
  /** Bytes of the extended header. */
  readonly nsymbt: number;
  /** Four characters. */
  readonly exttyp: string;
  readonly nversion: number;
  /** Bytes 128 to 131, which extended headers of SerialEM and Agard's format need: two int16. */
  readonly nint: number;
  readonly nreal: number;
  readonly imodStamp: number;
  readonly imodFlags: number;
  /** Å; read from bytes 208 to 219 in a file that has other data than a MAP identifier there, as before 2000. */
  readonly origin: Triple;
  /** Four characters, `MAP ` in a correct file. */
  readonly map: string;
  /** Machine stamp: four byte values. */
  readonly machst: readonly [number, number, number, number];
  readonly nlabl: number;
  /** All ten labels without their padding, also those beyond NLABL (see `labelsOf`); an empty label is ''. */
  readonly label: readonly string[];
}

/**
 * Reads an MRC2014 header in the most plausible byte order. It checks nothing: a file of another format gives
 * meaningless fields.
 * `bytes`: the first bytes of the file. `sizeBytes`: size of the whole file; helps to find the byte order.
 * @throws RangeError when there are fewer than 1024 bytes.
 */
export function parseHeader(bytes: Uint8Array, sizeBytes?: number): MrcHeader {
  if (bytes.length < HEADER_BYTES) {
    throw new RangeError(`An MRC header has ${HEADER_BYTES} bytes; ${bytes.length} were given.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const byteOrder = chooseByteOrder(view, sizeBytes);
  const isLittle = byteOrder === 'little';
  const int = (offset: number) => view.getInt32(offset, isLittle);
  const float = (offset: number) => view.getFloat32(offset, isLittle);
  const ints = (offset: number): Triple => [int(offset), int(offset + 4), int(offset + 8)];
  const floats = (offset: number): Triple => [float(offset), float(offset + 4), float(offset + 8)];
  const byte = (offset: number) => view.getUint8(offset);
  const chars = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4));
  const map = chars(OFFSET.map);
  const hasMap = hasMapId({ map });
  // Zeros are no origin of the time before 2000: programs since then leave the identifier and the stamp out.
  const isOld = !hasMap && bytes.subarray(OFFSET.map, OFFSET.rms).some((byte) => byte !== 0);
  return {
    byteOrder,
    nx: int(OFFSET.nx),
    ny: int(OFFSET.ny),
    nz: int(OFFSET.nz),
    mode: int(OFFSET.mode),
    nstart: ints(OFFSET.nstart),
    m: ints(OFFSET.m),
    cella: floats(OFFSET.cella),
    cellb: floats(OFFSET.cellb),
    axes: ints(OFFSET.axes),
    dmin: float(OFFSET.dmin),
    dmax: float(OFFSET.dmax),
    dmean: float(OFFSET.dmean),
    rms: hasMap ? float(OFFSET.rms) : -1,
    ispg: int(OFFSET.ispg),
    nsymbt: int(OFFSET.nsymbt),
    exttyp: chars(OFFSET.exttyp),
    nversion: int(OFFSET.nversion),
    nint: view.getInt16(OFFSET.nint, isLittle),
    nreal: view.getInt16(OFFSET.nreal, isLittle),
    imodStamp: int(OFFSET.imodStamp),
    imodFlags: int(OFFSET.imodFlags),
    origin: floats(isOld ? OFFSET.oldOrigin : OFFSET.origin),
    map,
    machst: [byte(OFFSET.machst), byte(OFFSET.machst + 1), byte(OFFSET.machst + 2), byte(OFFSET.machst + 3)],
    nlabl: int(OFFSET.nlabl),
    label: Array.from({ length: LABEL_COUNT }, (_, index) => {
      const start = OFFSET.label + index * LABEL_BYTES;
      return decodeLabel(bytes.subarray(start, start + LABEL_BYTES));
    }),
  };
}

/** True when bytes 208 to 210 read `MAP`; some programs pad it with a NUL instead of a space. */
export function hasMapId({ map }: Pick<MrcHeader, 'map'>): boolean {
  return map.startsWith('MAP');
}
