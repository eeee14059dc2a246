import type { VoxelLayout } from '../voxels/voxels.ts';

/** `thon`: up to 2.8 Å, and flattened, for Thon rings. `full`: all that the pixels can show, for the ring of ice. */
export const SPECTRUM_RANGES = ['thon', 'full'] as const;
export type SpectrumRange = (typeof SPECTRUM_RANGES)[number];

/** The finest pixels of a spectrum for Thon rings, Å: what is beyond 2.8 Å would take most of the picture. */
const FINEST_PIXEL = 1.4;
/** Pixels along the edge of a tile. */
const MIN_TILE = 64;
const MAX_TILE = 2048;

/** Which part of a power spectrum is computed, and with what tiles. */
export interface SpectrumPlan {
  /** Pixels along the edge of a tile, a power of two. */
  readonly edge: number;
  /** The share of the frequencies along each axis that is shown: 1 is up to two pixels per wave. */
  readonly crop: number;
  /** The greatest frequency to keep, in units of 1 / edge. */
  readonly kept: number;
}

/**
 * Plans the spectrum of a section. Tiles have about as many frequencies as the picture has pixels, if at least nine fit
 * into the section, because one alone shows its noise. Null for a section below 64 × 64 pixels.
 *
 * @param pixel Å along the columns and the rows; null when not known, then nothing is cropped.
 */
export function planSpectrum(
  { nx, ny }: Pick<VoxelLayout, 'nx' | 'ny'>,
  pixel: readonly [number, number] | null,
  range: SpectrumRange,
  sizePx: number,
): SpectrumPlan | null {
  const shorter = Math.min(nx, ny);
  if (shorter < MIN_TILE) return null;
  const crop = range === 'thon' && pixel ? Math.min(1, Math.max(...pixel) / FINEST_PIXEL) : 1;
  const wanted = Math.round(Math.log2(sizePx / crop));
  const possible = Math.floor(Math.log2(Math.min(MAX_TILE, shorter / 2)));
  const edge = Math.max(MIN_TILE, 2 ** Math.min(wanted, possible));
  return { edge, crop, kept: Math.min(edge / 2, Math.ceil((crop * edge) / 2)) };
}

/** Tiles of one height: their first row, and their first columns. */
export interface Band {
  readonly section: number;
  readonly y: number;
  readonly xs: readonly number[];
}

/** The most pixels that are transformed: 1,024 tiles of 512 × 512, which takes some seconds. */
const MAX_PIXELS = 2 ** 28;
/** Of a stack, on average one band of each section is read, but at least so many in all. */
const LEAST_BANDS = 24;

/**
 * The tiles of some sections, those of one height together. In one section neighbours overlap by half. Several sections
 * have enough tiles without that, and a selection of them, spread evenly over sections and heights, so that a small part
 * of a large stack is read.
 */
export function placeTiles(
  { nx, ny }: Pick<VoxelLayout, 'nx' | 'ny'>,
  edge: number,
  sections: { readonly first: number; readonly count: number },
): Band[] {
  const step = sections.count === 1 ? edge / 2 : edge;
  const xs = placesOf(nx, edge, step);
  const ys = placesOf(ny, edge, step);
  const places = ys.length * sections.count;
  const wanted = sections.count === 1 ? places : Math.max(LEAST_BANDS, sections.count);
  const possible = Math.max(1, Math.floor(MAX_PIXELS / (edge * edge * xs.length)));
  const count = Math.min(places, wanted, possible);
  return Array.from({ length: count }, (_, i) => {
    const section = sections.first + Math.floor(((i + 0.5) * sections.count) / count);
    // The heights of a stack take turns.
    const height = sections.count === 1 ? Math.floor(((i + 0.5) * ys.length) / count) : i % ys.length;
    return { section, y: ys[height] as number, xs };
  });
}

/** The most places along one axis. */
const MAX_PLACES = 64;

function placesOf(length: number, edge: number, step: number): number[] {
  const all = Math.floor((length - edge) / step) + 1;
  const count = Math.min(all, MAX_PLACES);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * all) / count) * step);
}
