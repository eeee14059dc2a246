import type { MrcHeader } from './header.ts';
import { HEADER_BYTES, LABEL_BYTES, LABEL_COUNT, OFFSET } from './layout.ts';

/** The fields to write; the others get the values of a correct MRC2014 file of this size. */
export type HeaderFields = Partial<MrcHeader> & Pick<MrcHeader, 'nx' | 'ny' | 'nz' | 'mode'>;

/**
 * Builds the 1024 bytes of an MRC2014 header. Nothing is checked, so that damaged and foreign headers can be built,
 * too: any dimensions, a stamp that contradicts the byte order, no MAP. `label` takes up to ten texts of up to 80 bytes
 * (UTF-8); longer texts are cut.
 */
export function buildHeader(fields: HeaderFields): Uint8Array {
  const header = { ...standardHeader(fields), ...fields };
  const isLittle = header.byteOrder === 'little';
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const writeInts = (offset: number, ...values: readonly number[]) =>
    values.forEach((value, index) => {
      view.setInt32(offset + 4 * index, value, isLittle);
    });
  const writeFloats = (offset: number, ...values: readonly number[]) =>
    values.forEach((value, index) => {
      view.setFloat32(offset + 4 * index, value, isLittle);
    });
  const writeChars = (offset: number, text: string) =>
    bytes.set(
      [...text.slice(0, 4)].map((char) => char.charCodeAt(0)),
      offset,
    );
  writeInts(OFFSET.nx, header.nx, header.ny, header.nz, header.mode, ...header.nstart, ...header.m);
  writeFloats(OFFSET.cella, ...header.cella, ...header.cellb);
  writeInts(OFFSET.axes, ...header.axes);
  writeFloats(OFFSET.dmin, header.dmin, header.dmax, header.dmean);
  writeInts(OFFSET.ispg, header.ispg, header.nsymbt);
  writeChars(OFFSET.exttyp, header.exttyp);
  writeInts(OFFSET.nversion, header.nversion);
  view.setInt16(OFFSET.nint, header.nint, isLittle);
  view.setInt16(OFFSET.nreal, header.nreal, isLittle);
  writeInts(OFFSET.imodStamp, header.imodStamp, header.imodFlags);
  writeFloats(OFFSET.origin, ...header.origin);
  writeChars(OFFSET.map, header.map);
  bytes.set(header.machst, OFFSET.machst);
  writeFloats(OFFSET.rms, header.rms);
  writeInts(OFFSET.nlabl, header.nlabl);
  header.label.slice(0, LABEL_COUNT).forEach((text, index) => {
    const start = OFFSET.label + index * LABEL_BYTES;
    new TextEncoder().encodeInto(text, bytes.subarray(start, start + LABEL_BYTES));
  });
  return bytes;
}

/** The defaults of a correct header: voxels of 1 Å, undetermined statistics, a stack if there are several sections. */
function standardHeader({ nx, ny, nz, mode, byteOrder = 'little', label = [] }: HeaderFields): MrcHeader {
  return {
    byteOrder,
    nx,
    ny,
    nz,
    mode,
    nstart: [0, 0, 0],
    m: [nx, ny, 1],
    cella: [nx, ny, 1],
    cellb: [90, 90, 90],
    axes: [1, 2, 3],
    dmin: 0,
    dmax: -1,
    dmean: -2,
    rms: -1,
    ispg: 0,
    nsymbt: 0,
    exttyp: '\0\0\0\0',
    nversion: 20141,
    nint: 0,
    nreal: 0,
    imodStamp: 0,
    imodFlags: 0,
    origin: [0, 0, 0],
    map: 'MAP ',
    machst: byteOrder === 'little' ? [0x44, 0x44, 0, 0] : [0x11, 0x11, 0, 0],
    nlabl: label.filter((text) => text !== '').length,
    label,
  };
}
