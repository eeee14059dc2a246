import { OFFSET } from './layout.ts';
import { isKnownMode } from './mode.ts';
import { computeFileSize, type Dimensions } from './size.ts';

export type ByteOrder = 'little' | 'big';

/** NX or NY above this suggests the wrong byte order, as in RELION and IMOD. */
const LARGEST_USUAL_SIDE = 65535;

/**
 * The order that a machine stamp (bytes 212 and 213) declares: 44 44 or 44 41 little, 11 11 big, anything else none.
 */
export function readStamp(machst: readonly number[]): ByteOrder | null {
  const [first, second] = machst;
  if (first === 0x44 && (second === 0x44 || second === 0x41)) return 'little';
  if (first === 0x11 && second === 0x11) return 'big';
  return null;
}

/** True when MAPC, MAPR, MAPS name each of the three axes once. */
export function isPermutation(axes: readonly number[]): boolean {
  return [1, 2, 3].every((axis) => axes.includes(axis));
}

/** True when the fields can describe data: a positive size along each axis, and a known mode. */
export function isReadable({ nx, ny, nz, mode }: Dimensions): boolean {
  return nx > 0 && ny > 0 && nz > 0 && isKnownMode(mode);
}

/**
 * The most plausible byte order of a header. Stamps are often missing or wrong, so the fields decide. The stamp breaks
 * a tie; without a stamp a tie is little-endian.
 * `header`: at least 1024 bytes. `sizeBytes`: size of the whole file, when it is known.
 */
export function chooseByteOrder(header: DataView, sizeBytes?: number): ByteOrder {
  const stamp = readStamp([header.getUint8(OFFSET.machst), header.getUint8(OFFSET.machst + 1)]);
  const little = score(header, true, sizeBytes);
  const big = score(header, false, sizeBytes);
  if (little === big) return stamp ?? 'little';
  return little > big ? 'little' : 'big';
}

/**
 * A readable header outweighs everything else together, the exact size everything after it; plausible fields come last.
 */
function score(header: DataView, isLittle: boolean, sizeBytes?: number): number {
  const int = (offset: number) => header.getInt32(offset, isLittle);
  const dimensions: Dimensions = {
    nx: int(OFFSET.nx),
    ny: int(OFFSET.ny),
    nz: int(OFFSET.nz),
    mode: int(OFFSET.mode),
    nsymbt: int(OFFSET.nsymbt),
  };
  const { nx, ny, nsymbt } = dimensions;
  const axes = [int(OFFSET.axes), int(OFFSET.axes + 4), int(OFFSET.axes + 8)];
  let points = 0;
  if (isReadable(dimensions)) {
    points += 32;
    const size = computeFileSize(dimensions, sizeBytes);
    if (size && Number(size.bytes) === sizeBytes) points += 16;
  }
  if (nx > 0 && nx <= LARGEST_USUAL_SIDE && ny > 0 && ny <= LARGEST_USUAL_SIDE) points += 4;
  if (isPermutation(axes)) points += 4;
  if (nsymbt >= 0 && nsymbt <= (sizeBytes ?? Number.MAX_SAFE_INTEGER)) points += 2;
  return points;
}
