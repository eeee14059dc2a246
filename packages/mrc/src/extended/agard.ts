/** Records of the format of Agard and Koster: NINT integers, then NREAL floats for each section, 4 bytes each. */
import { NOTHING_ACQUIRED, pixelFrom, type SectionRecord, within } from './acquisition.ts';

/** The numbers of FEI's programs before FEI1, by index; other programs store the tilt alone at the same place. */
const TILT = 0;
const STAGE_X = 1;
const STAGE_Y = 2;
const DEFOCUS = 7;
const EXPOSURE = 8;
const TILT_AXIS = 10;
const PIXEL = 11;
const MAGNIFICATION = 12;
const VOLTAGE = 13;
/** Fewer floats are not the record of FEI's programs. */
const FEI_FLOATS = 32;

/** @param fields NINT and NREAL, for which `extendedLayout` is `agard`. */
export function readAgardRecords(
  bytes: Uint8Array,
  isLittle: boolean,
  sections: number,
  { nint, nreal }: { readonly nint: number; readonly nreal: number },
): SectionRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const recordBytes = 4 * (nint + nreal);
  const count = Math.min(sections, Math.floor(bytes.length / recordBytes));
  return Array.from({ length: count }, (_, section) => {
    const float = (index: number) => view.getFloat32(section * recordBytes + 4 * (nint + index), isLittle);
    const tilt = within(float(TILT), -180, 180);
    if (nint !== 0 || nreal !== FEI_FLOATS) return { acquisition: NOTHING_ACQUIRED, tilt };
    const metres = (index: number, most: number) => {
      const value = within(float(index), -most, most);
      return value === null ? null : Number((value * 1e6).toPrecision(7));
    };
    const [stageX, stageY] = [metres(STAGE_X, 0.1), metres(STAGE_Y, 0.1)];
    const voltage = within(float(VOLTAGE), 1e3, 1e7);
    return {
      acquisition: {
        ...NOTHING_ACQUIRED,
        voltage: voltage === null ? null : voltage / 1000,
        magnification: within(float(MAGNIFICATION), 1, 1e8),
        pixel_size: pixelFrom(float(PIXEL), float(PIXEL)),
        defocus: metres(DEFOCUS, 0.01),
        exposure: within(float(EXPOSURE), 1e-9, 1e6),
        tilt_axis: within(float(TILT_AXIS), -360, 360),
        stage: stageX === null || stageY === null ? null : [stageX, stageY],
      },
      tilt,
    };
  });
}
