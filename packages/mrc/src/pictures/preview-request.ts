import type { Axis } from '../header/axes.ts';
import { isPlausibleVoxel } from '../header/geometry.ts';
import type { MrcKind } from '../kind/kind.ts';
import { extensionOf } from '../kind/name.ts';
import type { SpectrumRange } from '../spectra/plan.ts';
import { MAX_SECTIONS } from '../statistics/section-statistics.ts';
import type { Contrast, Percentiles } from './contrast.ts';

/**
 * `profile` is the rotational average of the power spectrum, `means` a plot of the mean and the standard deviation of
 * each section.
 */
export const PREVIEW_KINDS = ['section', 'average', 'montage', 'spectrum', 'profile', 'means'] as const;
export type PreviewKind = (typeof PREVIEW_KINDS)[number];

/** A part of a section or of an average as it is drawn: voxels, from its left and upper edge. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Everything that determines a preview of a file. */
export interface PreviewRequest {
  readonly kind: PreviewKind;
  /** For a section: the axis in space that it is perpendicular to. */
  readonly axis: Axis;
  /**
   * For a section: its number from 0; null means the central one, floor(n / 2). For a spectrum and its profile: the
   * section to transform; null means the average over all, such as the frames of a movie.
   */
  readonly slice: number | null;
  /** The most pixels of the long side. A spectrum and a plot have exactly as many. */
  readonly sizePx: number;
  /** How the values of black and white are chosen. */
  readonly contrast: Contrast;
  /** Of a spectrum; `thon` when not given. */
  readonly range?: SpectrumRange;
  /** Black and white at these percentiles, instead of `contrast`. */
  readonly percentiles?: Percentiles;
  /** Of a section or an average: only this part of it, which may then show each voxel. */
  readonly region?: Region;
  /** Of a section: the mean of so many around it; 1 when not given. */
  readonly slab?: number;
  /**
   * Of a section, an average or the images of a montage: a Gaussian low-pass that halves the amplitude at this
   * resolution, in Å.
   */
  readonly lowPass?: number;
}

/** How black and white are chosen. */
export function contrastOf({ contrast, percentiles }: PreviewRequest): Contrast | Percentiles {
  return percentiles ?? contrast;
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
 * section of an image. Images, movies and tilt series also have a power spectrum; movies and tilt series a plot of their
 * means. A volume with few sections is shown as an image. Tilt series are also recognised by name, particles by their
 * size.
 */
export function defaultPreviews(file: Previewed, filename = ''): PreviewRequest[] {
  const { kind, nx, ny, nz, mode } = file;
  if (isVolume(kind) && !isThin(file)) return [ask('section'), ask('section', 'y'), ask('section', 'x')];
  const isTransform = mode === 3 || mode === 4;
  const slice = spectrumSlice(file, filename);
  const spectrum = isTransform || Math.min(nx, ny) < MIN_SPECTRUM_PX ? [] : [{ ...ask('spectrum'), slice }];
  const section = { ...ask('section'), slice: middleTilt(file) };
  if (nz === 1 || kind === 'image' || isVolume(kind)) return [section, ...spectrum];
  const means = nz <= MAX_SECTIONS ? [ask('means')] : [];
  if (isTiltSeries(file, filename)) return [section, ...spectrum, ...means];
  return isMovie(file, filename) ? [ask('average'), ...spectrum, ...means] : [ask('montage')];
}

/** True for a stack of frames; not for a tilt series or particles. */
export function isMovie(file: Previewed, filename = ''): boolean {
  const { kind, nx, ny, nz } = file;
  return kind === 'stack' && nz > 1 && !isTiltSeries(file, filename) && Math.max(nx, ny) > MAX_PARTICLE_PX;
}

/**
 * The section of the file whose spectrum is shown: the middle tilt, or the central one of the first volume. Null for
 * movies and particles, whose sections are averaged.
 */
export function spectrumSlice(file: Previewed, filename = ''): number | null {
  const { kind, nz, geometry } = file;
  if (kind === 'stack' && nz > 1 && !isTiltSeries(file, filename)) return null;
  return middleTilt(file) ?? Math.floor(nz / (geometry?.volumes ?? 1) / 2);
}

function isTiltSeries({ kind }: Previewed, filename: string): boolean {
  return kind === 'tilt_series' || TILT_SERIES_NAMES.includes(extensionOf(filename));
}

/** Null when the file is no tilt series, or its angles are not known. */
function middleTilt({ kind, tilts }: Previewed): number | null {
  return kind === 'tilt_series' && tilts ? tilts.middle_section : null;
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
  const middle = axis === 'z' ? middleTilt(file) : null;
  return middle ?? Math.floor(sectionsAlong(file, axis) / (axis === 'z' ? (file.geometry?.volumes ?? 1) : 1) / 2);
}
