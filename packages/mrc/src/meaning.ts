import type { MrcHeader, Triple } from './header.ts';
import { IMOD_STAMP } from './layout.ts';
import { extensionOf } from './name.ts';

export type MrcKind = 'image' | 'stack' | 'volume' | 'volume_stack';

const STACK_NAMES: readonly string[] = ['mrcs', 'st', 'ali', 'preali'];
const VOLUME_NAMES: readonly string[] = ['rec', 'map', 'ccp4'];

/** True when ISPG (spacegroup + 400) declares a stack of volumes of MZ sections each. */
export function isVolumeStack({ ispg }: Pick<MrcHeader, 'ispg'>): boolean {
  return ispg >= 401 && ispg <= 630;
}

/**
 * What the sections are. A name that is used for one kind only goes before ISPG, which several programs leave at 0 for
 * everything; with other names ISPG 0 is a stack, as in MRC2014.
 */
export function kindOf(header: Pick<MrcHeader, 'nz' | 'ispg'>, filename = ''): MrcKind {
  if (isVolumeStack(header)) return 'volume_stack';
  if (header.nz === 1) return 'image';
  const extension = extensionOf(filename);
  if (STACK_NAMES.includes(extension)) return 'stack';
  if (VOLUME_NAMES.includes(extension)) return 'volume';
  return header.ispg === 0 ? 'stack' : 'volume';
}

/**
 * Voxel size in Å (CELLA / M), to the seven digits that a float32 has. Null when the header gives none for x or y; z is
 * 0 when only that one is missing, as in many single images.
 */
export function voxelSize({ cella, m }: Pick<MrcHeader, 'cella' | 'm'>): Triple | null {
  const edge = (axis: 0 | 1 | 2) => {
    const angstroms = cella[axis] / m[axis];
    return Number.isFinite(angstroms) && angstroms > 0 ? Number(angstroms.toPrecision(7)) : 0;
  };
  const [x, y, z] = [edge(0), edge(1), edge(2)];
  return x === 0 || y === 0 ? null : [x, y, z];
}

export interface Statistics {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly rms: number | null;
}

/**
 * The statistics, null where the header says "not determined" (MRC2014, note 5): DMAX < DMIN, DMEAN below both, RMS < 0.
 * A number that is not finite counts as not determined.
 */
export function statisticsOf({
  dmin,
  dmax,
  dmean,
  rms,
}: Pick<MrcHeader, 'dmin' | 'dmax' | 'dmean' | 'rms'>): Statistics {
  const hasRange = Number.isFinite(dmin) && Number.isFinite(dmax) && dmax >= dmin;
  return {
    min: hasRange ? dmin : null,
    max: hasRange ? dmax : null,
    mean: Number.isFinite(dmean) && !(dmean < Math.min(dmin, dmax)) ? dmean : null,
    rms: Number.isFinite(rms) && rms >= 0 ? rms : null,
  };
}

/**
 * Whether the bytes of a mode 0 file are signed, by IMOD's rule: the flag of a file that IMOD wrote, otherwise what
 * DMIN and DMAX suggest. Null for other modes.
 */
export function isSigned(header: MrcHeader): boolean | null {
  const { mode, imodStamp, imodFlags, dmin, dmax } = header;
  if (mode !== 0) return null;
  if (imodStamp === IMOD_STAMP) return (imodFlags & 1) === 1;
  if (!(dmin < 0)) return false;
  return dmax < 128 || -dmin > dmax - 128;
}
