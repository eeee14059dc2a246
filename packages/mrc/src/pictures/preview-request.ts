import type { MrcKind } from '../kind/kind.ts';
import { extensionOf } from '../kind/name.ts';

export type PreviewKind = 'section' | 'average' | 'montage' | 'spectrum';
export type Axis = 'x' | 'y' | 'z';

/** Everything that determines a preview of a file. */
export interface PreviewRequest {
  readonly kind: PreviewKind;
  /** For a section: the axis that it is perpendicular to. */
  readonly axis: Axis;
  /** For a section: its number from 0; null means the central one, floor(n / 2). */
  readonly slice: number | null;
  /** The most pixels of the long side. */
  readonly sizePx: number;
  /** The values of black and white: mean ± 3 σ of the pixels, or their 0.1 and 99.9 percentiles. */
  readonly contrast: 'sigma' | 'percentile';
}

const TILT_SERIES_NAMES: readonly string[] = ['st', 'ali', 'preali'];
/** The boxes of particles are smaller than this, the frames of cameras larger. */
const MAX_PARTICLE_PX = 1024;
/** The smallest tile of a power spectrum. */
const MIN_SPECTRUM_PX = 64;

/**
 * The useful previews of a file, the one to show first at the start: three orthogonal sections of a volume; the average
 * of a movie, whose frames are mostly noise; a montage of particles; the central section of a tilt series or an image.
 * Images, movies and tilt series also have a power spectrum. Tilt series are recognised by name, particles by their
 * size.
 */
export function defaultPreviews(
  { kind, nx, ny, nz, mode }: { kind: MrcKind; nx: number; ny: number; nz: number; mode: number },
  filename = '',
): PreviewRequest[] {
  const isTransform = mode === 3 || mode === 4;
  const spectrum = isTransform || Math.min(nx, ny) < MIN_SPECTRUM_PX ? [] : [ask('spectrum')];
  if (kind === 'volume' || kind === 'volume_stack') return [ask('section'), ask('section', 'y'), ask('section', 'x')];
  if (nz === 1 || kind === 'image' || TILT_SERIES_NAMES.includes(extensionOf(filename)))
    return [ask('section'), ...spectrum];
  return Math.max(nx, ny) <= MAX_PARTICLE_PX ? [ask('montage')] : [ask('average'), ...spectrum];
}

function ask(kind: PreviewKind, axis: Axis = 'z'): PreviewRequest {
  return { kind, axis, slice: null, sizePx: 512, contrast: 'sigma' };
}
