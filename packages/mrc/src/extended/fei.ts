/**
 * Records of FEI1 (768 bytes) and FEI2 (888 bytes), as Thermo Fisher's programs write them. Offsets as in the dtypes of
 * mrcfile. A value counts only when its bit is set in the bit mask before it.
 */
import { decodeLabel } from '../header/labels.ts';
import { type Acquisition, NOTHING_ACQUIRED, pixelFrom, type SectionRecord, within } from './acquisition.ts';

const LEAST_BYTES = 768;
const MOST_BYTES = 65_536;
const TEXT_BYTES = 16;

/** Each bit mask is little-endian, whatever the byte order of the file. */
const MASK_1 = 8;
const MASK_2 = 297;

/** Of bit mask 1: offset of the value, bit. */
const FIRST = {
  microscope: [20, 1],
  application: [52, 3],
  version: [68, 4],
  voltage: [84, 5],
  dose: [92, 6],
  tilt: [100, 7],
  stageX: [116, 9],
  stageY: [124, 10],
  tiltAxis: [140, 12],
  pixelX: [156, 14],
  pixelY: [164, 15],
  defocus: [220, 22],
  magnification: [289, 31],
} as const;
/** Of bit mask 2. */
const SECOND = { slit: [355, 8], exposure: [419, 16], camera: [435, 19] } as const;

/** A program that stored angles in degrees as if they were radians; IMOD corrects it, too. */
const VERSION_WITH_LARGE_ANGLES = '4.4.0.4981';

/** Reads up to `sections` records; stops at the first that is damaged or cut off. */
export function readFeiRecords(bytes: Uint8Array, isLittle: boolean, sections: number): SectionRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: SectionRecord[] = [];
  for (let at = 0; records.length < sections && at + LEAST_BYTES <= bytes.length; ) {
    const recordBytes = view.getInt32(at, isLittle);
    if (recordBytes < LEAST_BYTES || recordBytes > MOST_BYTES) break;
    records.push(readRecord(bytes, view, at, isLittle));
    at += recordBytes;
  }
  return records;
}

function readRecord(bytes: Uint8Array, view: DataView, at: number, isLittle: boolean): SectionRecord {
  const masks = [view.getUint32(at + MASK_1, true), view.getUint32(at + MASK_2, true)] as const;
  const has = (mask: 0 | 1, bit: number) => ((masks[mask] >>> bit) & 1) === 1;
  const number = ([offset, bit]: readonly [number, number], mask: 0 | 1 = 0) =>
    has(mask, bit) ? view.getFloat64(at + offset, isLittle) : null;
  const text = ([offset, bit]: readonly [number, number], mask: 0 | 1 = 0) =>
    has(mask, bit) ? decodeText(bytes.subarray(at + offset, at + offset + TEXT_BYTES)) : null;
  const isLarge = text(FIRST.version) === VERSION_WITH_LARGE_ANGLES;
  const angle = (degrees: number | null) =>
    within(degrees === null || !isLarge ? degrees : (degrees * Math.PI) / 180, -360, 360);
  const program = [text(FIRST.application), text(FIRST.version)].filter((part) => part !== null).join(' ');
  const [stageX, stageY] = [within(number(FIRST.stageX), -1, 1), within(number(FIRST.stageY), -1, 1)];
  const acquisition: Acquisition = {
    ...NOTHING_ACQUIRED,
    microscope: text(FIRST.microscope),
    camera: text(SECOND.camera, 1),
    application: program === '' ? null : program,
    voltage: scale(within(number(FIRST.voltage), 1e3, 1e7), 1e-3),
    magnification: within(number(FIRST.magnification), 1, 1e8),
    pixel_size: pixelFrom(number(FIRST.pixelX), number(FIRST.pixelY)),
    // Per square metre.
    dose: scale(within(number(FIRST.dose), 1e15, 1e25), 1e-20),
    defocus: scale(within(number(FIRST.defocus), -1e-2, 1e-2), 1e6),
    exposure: within(number(SECOND.exposure, 1), 1e-9, 1e6),
    slit: within(number(SECOND.slit, 1), 1e-3, 1e4),
    tilt_axis: angle(number(FIRST.tiltAxis)),
    stage: stageX === null || stageY === null ? null : [scale(stageX, 1e6) as number, scale(stageY, 1e6) as number],
  };
  return { acquisition, tilt: angle(number(FIRST.tilt)) };
}

function scale(value: number | null, factor: number): number | null {
  return value === null ? null : Number((value * factor).toPrecision(7));
}

function decodeText(bytes: Uint8Array): string | null {
  const end = bytes.indexOf(0);
  const text = decodeLabel(end < 0 ? bytes : bytes.subarray(0, end));
  return text === '' ? null : text;
}
