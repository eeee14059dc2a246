import type { Axis } from '../header/axes.ts';
import { isPlausibleVoxel } from '../header/geometry.ts';
import type { MrcKind } from '../kind/kind.ts';
import { extensionOf } from '../kind/name.ts';

export type PreviewKind = 'section' | 'average' | 'montage' | 'spectrum';

/** Everything that determines a preview of a file. */
export interface PreviewRequest {
  readonly kind: PreviewKind;
  /** For a section: the axis in space that it is perpendicular to. */
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

/** What decides the useful previews of a file; a summary has it. */
export interface Previewed {
  readonly kind: MrcKind;
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  readonly mode: number;
  /** Absent in records of earlier versions. */
  readonly geometry?:
    | { readonly size: readonly number[]; readonly extent: readonly number[] | null; readonly volumes?: number }
    | undefined;
  readonly tilts?: { readonly middle_section: number } | null | undefined;
}

/**
 * The useful previews of a file, the one to show first at the start: three orthogonal sections of a volume; the average
 * of a movie, whose frames are mostly noise; a montage of particles; the middle tilt of a tilt series; the central
 * section of an image. Images, movies and tilt series also have a power spectrum. A volume with few sections is shown
 * as an image. Tilt series are also recognised by name, particles by their size.
 */
export function defaultPreviews(file: Previewed, filename = ''): PreviewRequest[] {
  const { kind, nx, ny, nz, mode, tilts } = file;
  const isTransform = mode === 3 || mode === 4;
  const spectrum = isTransform || Math.min(nx, ny) < MIN_SPECTRUM_PX ? [] : [ask('spectrum')];
  if (isVolume(kind) && !isThin(file)) return [ask('section'), ask('section', 'y'), ask('section', 'x')];
  if (kind === 'tilt_series' && tilts) {
    const slice = tilts.middle_section;
    return [ask('section'), ...spectrum].map((request) => ({ ...request, slice }));
  }
  const isSeries = kind === 'tilt_series' || TILT_SERIES_NAMES.includes(extensionOf(filename));
  if (nz === 1 || kind !== 'stack' || isSeries) return [ask('section'), ...spectrum];
  return Math.max(nx, ny) <= MAX_PARTICLE_PX ? [ask('montage')] : [ask('average'), ...spectrum];
}

function isVolume(kind: MrcKind): boolean {
  return kind === 'volume' || kind === 'volume_stack';
}

/** A section across x or y that is longer than this times its height is a line and not a picture. */
const MOST_OBLONG = 32;

/** True for a volume with so few sections that only those are worth a picture. */
function isThin({ nx, ny, nz, geometry }: Previewed): boolean {
  const [columns = nx, rows = ny, all = nz] = geometry?.size ?? [];
  const size = [columns, rows, all / (geometry?.volumes ?? 1)];
  const extent = geometry?.extent;
  const isToScale = extent && isPlausibleVoxel(extent.map((edge, axis) => edge / (size[axis] as number)));
  const [x = 0, y = 0, z = 0] = isToScale ? extent : size;
  return z * MOST_OBLONG < Math.max(x, y);
}

function ask(kind: PreviewKind, axis: Axis = 'z'): PreviewRequest {
  return { kind, axis, slice: null, sizePx: 512, contrast: 'sigma' };
}

/** The number of sections of a file perpendicular to an axis in space. */
export function sectionsAlong({ nx, ny, nz, geometry }: Previewed, axis: Axis): number {
  const [x = nx, y = ny, z = nz] = geometry?.size ?? [];
  return { x, y, z }[axis];
}

/** The section to show first: the middle tilt, or floor(n / 2), of one volume in a stack of volumes. */
export function centralSection(file: Previewed, axis: Axis): number {
  if (axis === 'z' && file.kind === 'tilt_series' && file.tilts) return file.tilts.middle_section;
  return Math.floor(sectionsAlong(file, axis) / (axis === 'z' ? (file.geometry?.volumes ?? 1) : 1) / 2);
}
