import type { MrcKind } from '../kind/kind.ts';
import { extensionOf } from '../kind/name.ts';

export type PreviewKind = 'section' | 'average' | 'montage' | 'spectrum';
export type Axis = 'x' | 'y' | 'z';

/** Everything that a picture of a file depends on. */
export interface PreviewRequest {
  readonly kind: PreviewKind;
  /** Of a section: what it is perpendicular to. */
  readonly axis: Axis;
  /** Of a section, from 0. Null: the central one, floor(n / 2). */
  readonly slice: number | null;
  /** Pixels of the long side, at most. */
  readonly sizePx: number;
  /** What black and white are: mean ± 3 σ of the pixels, or their 0.1 and 99.9 percentiles. */
  readonly contrast: 'sigma' | 'percentile';
}

const TILT_SERIES_NAMES: readonly string[] = ['st', 'ali', 'preali'];
/** Particles are cut out of micrographs in smaller boxes than this; no camera has as few pixels. */
const MAX_PARTICLE_PX = 1024;
/** Of the tiles of a power spectrum. */
const MIN_SPECTRUM_PX = 64;

/**
 * The pictures that are worth having of a file, the one to show first: orthogonal sections of a volume; the average of a
 * movie's frames, each of which is mostly noise; a montage of particles; the middle of a tilt series; an image itself. Of
 * images, movies and tilts the power spectrum, too. A name tells tilt series, the size of the sections tells particles.
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
