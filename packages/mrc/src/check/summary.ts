import type { Acquisition } from '../extended/acquisition.ts';
import type { MrcDescription } from '../extended/description.ts';
import { type ExtendedLayout, extendedLayout } from '../extended/layout.ts';
import type { Finding } from '../finding.ts';
import { describeGeometry, type MrcGeometry } from '../header/geometry.ts';
import type { MrcHeader, Triple } from '../header/header.ts';
import { labelsOf } from '../header/labels.ts';
import { statisticsOf, voxelSize } from '../header/meaning.ts';
import { bytesPerVoxel } from '../header/mode.ts';
import { decideRowOrder, type RowOrder } from '../header/row-order.ts';
import { computeFileSize } from '../header/size.ts';
import { decideKind, type KindEvidence, type MrcKind } from '../kind/kind.ts';
import type { Tilts } from '../tilts/tilts.ts';

/** The contents of a header in the form and with the names of Cryolift's API. Safe for JSON. */
export interface MrcSummary {
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  readonly mode: number;
  /** 0.5 for the 4-bit mode 101. */
  readonly bytes_per_voxel: number;
  /** x, y, z in Å; z is 0 when the header gives x and y only, and means nothing for images. */
  readonly voxel_size: Triple | null;
  readonly kind: MrcKind;
  /** What decided the kind. */
  readonly kind_evidence: Finding<KindEvidence>;
  /** `type` is EXTTYP, '' when there is none; `holds` what it consists of, null when that is not known. */
  readonly extended_header: {
    readonly type: string;
    readonly bytes: number;
    readonly holds: ExtendedLayout | null;
  };
  readonly geometry: MrcGeometry;
  readonly row_order: RowOrder;
  /** What `completeSummary` adds, where the extended header has it. */
  readonly acquisition?: Acquisition;
  readonly tilts?: Tilts;
  readonly symmetry?: readonly string[];
  readonly byte_order: 'little' | 'big';
  /** Bytes of the whole file. */
  readonly expected_size: number;
  /** Null unless the header determines all four. */
  readonly stats: { readonly min: number; readonly max: number; readonly mean: number; readonly rms: number } | null;
  readonly labels: readonly string[];
}

/**
 * Summarises a readable header. Null when it determines no size up to 2^53 - 1: MRCZ, whose data are compressed, a
 * negative NSYMBT, or dimensions too large for any file.
 */
export function summarise(header: MrcHeader, sizeBytes: number, filename?: string): MrcSummary | null {
  const size = computeFileSize(header, sizeBytes);
  const bytes_per_voxel = bytesPerVoxel(header.mode);
  if (!size || bytes_per_voxel === null || size.bytes > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const { min, max, mean, rms } = statisticsOf(header);
  const { kind, evidence } = decideKind(header, filename);
  return {
    nx: header.nx,
    ny: header.ny,
    nz: header.nz,
    mode: header.mode,
    bytes_per_voxel,
    voxel_size: voxelSize(header),
    kind,
    kind_evidence: evidence,
    extended_header: { type: extendedType(header), bytes: header.nsymbt, holds: extendedLayout(header) },
    geometry: describeGeometry(header),
    row_order: decideRowOrder(header),
    byte_order: header.byteOrder,
    expected_size: Number(size.bytes),
    stats: min === null || max === null || mean === null || rms === null ? null : { min, max, mean, rms },
    labels: labelsOf(header),
  };
}

/** Adds to a summary what `describeMrc` has found in the extended header; without one it stays the same. */
export function completeSummary(summary: MrcSummary, description: MrcDescription): MrcSummary {
  const { header, geometry, kind, extended, tilts } = description;
  return {
    ...summary,
    voxel_size: voxelSize(header),
    kind: kind.kind,
    kind_evidence: kind.evidence,
    geometry,
    row_order: decideRowOrder(header),
    ...(extended?.acquisition && { acquisition: extended.acquisition }),
    ...(tilts && { tilts }),
    ...(extended && extended.symmetry.length > 0 && { symmetry: extended.symmetry }),
  };
}

/** Without an extended header, programs may store other data in place of EXTTYP. */
function extendedType({ nsymbt, exttyp }: MrcHeader): string {
  return nsymbt > 0 && /^[!-~][ -~]{3}$/.test(exttyp) ? exttyp.trimEnd() : '';
}
