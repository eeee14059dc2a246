/** What is chosen for a picture, kept in the address. Values that do not suit the file count as not given. */
import { centralSection, type PreviewKind, sectionsAlong } from '@cryolift/mrc';
import type { FileRecord, PreviewQuery } from '@cryolift/protocol/messages';
import { previewKinds } from './preview-kinds.ts';

type Mrc = NonNullable<FileRecord['mrc']>;
type Axis = NonNullable<PreviewQuery['axis']>;
type Contrast = NonNullable<PreviewQuery['contrast']> | 'own';
type Range = NonNullable<PreviewQuery['range']>;

const AXES: readonly Axis[] = ['z', 'y', 'x'];
const CONTRASTS: readonly Contrast[] = ['sigma', 'percentile', 'cell', 'own'];
export const RANGES: readonly Range[] = ['thon', 'full'];
const SLABS: readonly number[] = [1, 5, 10, 20, 40];
/** Å */
const LOW_PASSES: readonly number[] = [5, 10, 20, 30, 40, 60];
export const DEFAULT_PERCENTILES = { low: 0.1, high: 99.9 };
/** Of percentiles. */
export const PERCENTILE_STEP = 0.1;

/** The parameters in the address. */
export type Given = Readonly<
  Record<'show' | 'axis' | 'slice' | 'slab' | 'contrast' | 'low' | 'high' | 'lowpass' | 'range', string | null>
>;

export interface Choices {
  readonly kinds: readonly PreviewKind[];
  readonly kind: PreviewKind;
  readonly axes: readonly Axis[];
  readonly axis: Axis;
  /** Sections along the axis. */
  readonly count: number;
  readonly slice: number;
  readonly slabs: readonly number[];
  readonly slab: number;
  readonly contrasts: readonly Contrast[];
  readonly contrast: Contrast;
  readonly low: number;
  readonly high: number;
  /** Å; 0 is none. */
  readonly lowPasses: readonly number[];
  readonly lowPass: number;
  readonly range: Range;
}

export function readChoices(mrc: Mrc, filename: string, given: Given): Choices {
  const kinds = previewKinds(mrc, filename);
  const kind = oneOf(kinds, given.show) ?? kinds[0] ?? 'section';
  const isSection = kind === 'section';
  const axes = isSection && mrc.nz > 1 ? AXES : (['z'] as const);
  const axis = oneOf(axes, given.axis) ?? 'z';
  const count = isSection ? sectionsAlong(mrc, axis) : 1;
  const slice = wholeBetween(0, count - 1, given.slice) ?? centralSection(mrc, axis);
  const slabs = isSection && isAveraged(mrc) ? SLABS.filter((slab) => slab === 1 || slab < count) : [1];
  const contrasts = CONTRASTS.filter((contrast) => contrast !== 'cell' || kind === 'montage');
  const percentiles = readPercentiles(given);
  const lowPasses = hasLowPass(mrc, kind) ? [0, ...LOW_PASSES.filter((length) => length > finest(mrc))] : [0];
  return {
    kinds,
    kind,
    axes,
    axis,
    count,
    slice,
    slabs,
    slab: slabs.find((slab) => String(slab) === given.slab) ?? 1,
    contrasts,
    contrast: percentiles ? 'own' : (oneOf(contrasts.slice(0, -1), given.contrast) ?? 'sigma'),
    ...(percentiles ?? DEFAULT_PERCENTILES),
    lowPasses,
    lowPass: lowPasses.find((length) => String(length) === given.lowpass) ?? 0,
    range: oneOf(RANGES, given.range) ?? 'thon',
  };
}

export function queryOf(choices: Choices): PreviewQuery {
  const { kind, axis, slice, slab, contrast, low, high, lowPass, range } = choices;
  const isPlotted = isPlot(kind);
  return {
    kind,
    ...(kind === 'section' && { axis, slice }),
    ...(kind === 'spectrum' && { range }),
    ...(!isPlotted && (contrast === 'own' ? { low, high } : { contrast })),
    ...(slab > 1 && { slab }),
    ...(lowPass > 0 && { lowpass: lowPass }),
  };
}

export function isPlot(kind: PreviewKind): boolean {
  return kind === 'profile' || kind === 'means';
}

/** True when neighbouring sections show the same: those of a volume, and the frames of a movie. */
function isAveraged(mrc: Mrc): boolean {
  return mrc.nz > 1 && mrc.kind !== 'tilt_series' && mrc.kind !== 'image';
}

function hasLowPass({ mode, voxel_size }: Mrc, kind: PreviewKind): boolean {
  const isDrawn = kind === 'section' || kind === 'average' || kind === 'montage';
  return isDrawn && voxel_size !== null && mode !== 3 && mode !== 4;
}

/** The finest detail that the voxels have, in Å. */
function finest({ voxel_size }: Mrc): number {
  return 2 * (voxel_size?.[0] ?? 0);
}

function readPercentiles({ low, high }: Given): { low: number; high: number } | null {
  if (low === null && high === null) return null;
  const percentiles = {
    low: low === null ? DEFAULT_PERCENTILES.low : Number(low),
    high: high === null ? DEFAULT_PERCENTILES.high : Number(high),
  };
  return percentiles.low >= 0 && percentiles.high <= 100 && percentiles.low < percentiles.high ? percentiles : null;
}

function oneOf<Value extends string>(values: readonly Value[], given: string | null): Value | undefined {
  return values.find((value) => value === given);
}

function wholeBetween(least: number, most: number, given: string | null): number | null {
  const value = given === null || given === '' ? Number.NaN : Number(given);
  return Number.isInteger(value) && value >= least && value <= most ? value : null;
}
