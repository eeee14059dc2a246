/** Records of SerialEM: NINT bytes for each section, with the values whose bits are set in NREAL. */
import { NOTHING_ACQUIRED, type SectionRecord, within } from './acquisition.ts';
import { SERIALEM_ITEM_BYTES } from './layout.ts';

const [TILT, , STAGE, MAGNIFICATION, , DOSE] = [0, 1, 2, 3, 4, 5] as const;

/** @param fields NINT and NREAL, for which `extendedLayout` is `serialem`. */
export function readSerialEmRecords(
  bytes: Uint8Array,
  isLittle: boolean,
  sections: number,
  { nint, nreal }: { readonly nint: number; readonly nreal: number },
): SectionRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.min(sections, Math.floor(bytes.length / nint));
  return Array.from({ length: count }, (_, section) => {
    const short = (item: number, index = 0) => {
      if ((nreal & (1 << item)) === 0) return null;
      const before = SERIALEM_ITEM_BYTES.slice(0, item);
      const skip = before.reduce((sum, itemBytes, bit) => sum + (nreal & (1 << bit) ? itemBytes : 0), 0);
      return view.getInt16(section * nint + skip + 2 * index, isLittle);
    };
    const times = (value: number | null, factor: number) => (value === null ? null : value * factor);
    const [stageX, stageY] = [times(short(STAGE), 1 / 25), times(short(STAGE, 1), 1 / 25)];
    const [low, high] = [short(DOSE), short(DOSE, 1)];
    return {
      acquisition: {
        ...NOTHING_ACQUIRED,
        magnification: within(times(short(MAGNIFICATION), 100), 1, 1e8),
        dose: low === null || high === null ? null : within(toFloat(low, high), 1e-9, 1e6),
        stage: stageX === null || stageY === null ? null : [stageX, stageY],
      },
      tilt: within(times(short(TILT), 1 / 100), -180, 180),
    };
  });
}

/** A float as SerialEM stores it in two short integers; `SEMshortsToFloat` of IMOD. */
export function toFloat(low: number, high: number): number {
  const mantissa = Math.abs(low) * 256 + (Math.abs(high) % 256);
  const exponent = Math.sign(high) * Math.floor(Math.abs(high) / 256);
  return (low < 0 ? -1 : 1) * mantissa * 2 ** exponent;
}
