import type { MrcHeader, Triple } from './header.ts';

/** True when CELLA is 1 × 1 × 1 Å for more than one interval: no cell is so small, so it was never set. */
export function isPlaceholderCell({ cella, m }: Pick<MrcHeader, 'cella' | 'm'>): boolean {
  return cella.every((edge) => edge === 1) && m.some((intervals) => intervals > 1);
}

/**
 * Voxel size along X, Y, Z in Å (CELLA / M), rounded to the seven digits of a float32. Null when it is missing for x or
 * y, and when the cell is a placeholder; z is 0 when only z is missing, as in many single images.
 */
export function voxelSize({ cella, m }: Pick<MrcHeader, 'cella' | 'm'>): Triple | null {
  if (isPlaceholderCell({ cella, m })) return null;
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
 * The statistics of the header, null where they are undetermined: DMAX < DMIN, DMEAN below both, RMS < 0 (MRC2014, note
 * 5), and values that are not finite. A mean without a range, with which IMOD and SerialEM start, is undetermined too,
 * and so are zeros alone, which many programs leave. A mean of 0 counts when the RMS was computed.
 */
export function statisticsOf({
  dmin,
  dmax,
  dmean,
  rms,
}: Pick<MrcHeader, 'dmin' | 'dmax' | 'dmean' | 'rms'>): Statistics {
  const isZero = dmin === 0 && dmax === 0 && dmean === 0;
  const hasRange = Number.isFinite(dmin) && Number.isFinite(dmax) && dmax >= dmin && !isZero;
  const hasMean = hasRange && Number.isFinite(dmean) && dmean >= dmin && !(dmean === 0 && rms === 0);
  return {
    min: hasRange ? dmin : null,
    max: hasRange ? dmax : null,
    mean: hasMean ? dmean : null,
    rms: Number.isFinite(rms) && rms >= 0 && !(isZero && rms === 0) ? rms : null,
  };
}

/** NVERSION is year × 10 + revision. SerialEM before 3.3 stored other data there, so it is bounded, as in IMOD. */
export function declaresMrc2014({ nversion }: Pick<MrcHeader, 'nversion'>): boolean {
  return nversion >= 20140 && nversion < 21000;
}
