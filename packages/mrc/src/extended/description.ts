import type { Finding } from '../finding.ts';
import { describeGeometry, type MrcGeometry } from '../header/geometry.ts';
import type { MrcHeader, Triple } from '../header/header.ts';
import { IMOD_STAMP } from '../header/layout.ts';
import { voxelSize } from '../header/meaning.ts';
import { decideKind, type KindDecision, type MrcKind } from '../kind/kind.ts';
import { describeRange, type Tilts, toTilts } from '../tilts/tilts.ts';
import type { VoxelSource } from '../voxels/voxels.ts';
import { type ExtendedHeader, readExtendedHeader } from './extended-header.ts';

/** The codes of the findings of `describeMrc`. */
export const EXTENDED_WARNINGS = ['pixel_size_extended', 'pixel_size_differs'] as const;
type ExtendedWarningCode = (typeof EXTENDED_WARNINGS)[number];

/** What the headers of a file say together. */
export interface MrcDescription {
  /** With the pixel size of the extended header in CELLA, where that is the better one. */
  readonly header: MrcHeader;
  /** As the header says, but with the extent by the better pixel size. */
  readonly geometry: MrcGeometry;
  readonly kind: KindDecision;
  readonly extended: ExtendedHeader | null;
  /** Null unless the file is a tilt series by its extended header. */
  readonly tilts: Tilts | null;
  readonly findings: readonly Finding<ExtendedWarningCode>[];
}

/**
 * Reads the extended header, up to 888 KiB, and decides what it changes: the pixel size, and whether a stack is a tilt
 * series. Rejects with the error of `source`.
 * A kind that the owner of the file gives is not considered.
 */
export async function describeMrc(
  source: VoxelSource,
  header: MrcHeader,
  { sizeBytes, filename }: { readonly sizeBytes: number; readonly filename: string },
): Promise<MrcDescription> {
  return combine(header, await readExtendedHeader(source, header, sizeBytes), filename);
}

/** As `describeMrc`, with the extended header read before. */
export function combine(header: MrcHeader, extended: ExtendedHeader | null, filename: string): MrcDescription {
  const decided = decideKind(header, filename);
  const tilts = extended && decided.kind === 'stack' ? toTilts('extended_header', extended.tilts) : null;
  const kind = tilts ? tiltSeries(tilts) : decided;
  const pixel = choosePixelSize(header, extended, kind.kind);
  return {
    header: pixel.header,
    geometry: { ...describeGeometry(header), extent: describeGeometry(pixel.header).extent },
    kind,
    extended,
    tilts,
    findings: pixel.findings,
  };
}

/** The decision for a stack whose images have these angles. */
function tiltSeries(tilts: Tilts): KindDecision {
  const message = `the extended header has tilt angles from ${describeRange(tilts)}`;
  return { kind: 'tilt_series', evidence: { code: 'tilts', message } };
}

/** A larger relative difference of two pixel sizes is said. */
const TOLERANCE = 0.01;

function choosePixelSize(
  header: MrcHeader,
  extended: ExtendedHeader | null,
  kind: MrcKind,
): Pick<MrcDescription, 'header' | 'findings'> {
  const unchanged = { header, findings: [] };
  const pixel = extended?.acquisition?.pixel_size;
  // Volumes keep the extended header of the images that they were made of.
  if (!pixel || kind === 'volume' || kind === 'volume_stack') return unchanged;
  const edges = voxelSize(header);
  const [x, y] = pixel;
  const text = x === y ? `${x} Å` : `${x} × ${y} Å`;
  if (!edges) {
    const message = `The header has no pixel size; ${text} is the one of the extended header.`;
    return { header: withPixelSize(header, pixel), findings: [{ code: 'pixel_size_extended', message }] };
  }
  const differs = [0, 1].some((axis) => {
    const [edge, other] = [edges[axis] as number, pixel[axis] as number];
    return Math.abs(edge - other) > TOLERANCE * other;
  });
  if (!differs) return unchanged;
  const says = `The pixel size by CELLA is ${edges[0]} × ${edges[1]} Å, that of the extended header ${text}`;
  if (header.imodStamp === IMOD_STAMP) {
    const message = `${says}. IMOD has written the file since, and may have binned it: CELLA is used.`;
    return { header, findings: [{ code: 'pixel_size_differs', message }] };
  }
  const message = `${says}. The one of the extended header is used; most programs use CELLA.`;
  return { header: withPixelSize(header, pixel), findings: [{ code: 'pixel_size_differs', message }] };
}

function withPixelSize(header: MrcHeader, [x, y]: readonly [number, number]): MrcHeader {
  const { nx, ny, nz, m, cella } = header;
  const intervals: Triple = [m[0] > 0 ? m[0] : nx, m[1] > 0 ? m[1] : ny, m[2] > 0 ? m[2] : nz];
  return { ...header, m: intervals, cella: [x * intervals[0], y * intervals[1], cella[2]] };
}
