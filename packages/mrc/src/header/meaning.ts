import type { MrcHeader, Triple } from './header.ts';

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
 * The statistics, null where the header does not say them: DMAX < DMIN, DMEAN below both, RMS < 0 (MRC2014, note 5), and
 * what is not finite. A mean without a range, which IMOD and SerialEM begin with, was not determined either, nor were
 * zeros alone, which many programs leave; 0 for the mean counts when the RMS was computed.
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

/** NVERSION is year × 10 + revision. Before version 3.3, SerialEM left other data there, so IMOD, too, bounds it. */
export function declaresMrc2014({ nversion }: Pick<MrcHeader, 'nversion'>): boolean {
  return nversion >= 20140 && nversion < 21000;
}
