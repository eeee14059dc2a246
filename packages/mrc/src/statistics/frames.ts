import { type Finding, print, type WarningCode } from '../finding.ts';
import type { MrcKind } from '../kind/kind.ts';
import type { SectionStatistics } from './section-statistics.ts';

/** How many robust standard deviations the mean of a frame may lie from the median of all. */
const REACH = 5;
/** The standard deviation of a normal distribution ÷ its median absolute deviation from the median. */
const SD_PER_MAD = 1.4826;
/**
 * The least robust standard deviation to assume, relative to the median and to the spread within a frame: the beam may
 * vary by a few per cent where a run of nearly equal frames has a deviation of nearly 0. Particles are normalised to a
 * mean of about 0, so their means differ by more of their spread.
 */
const LEAST_SD = 0.01;
const LEAST_SD_OF_PARTICLES = 0.1;
/** With fewer frames, nothing is usual. */
const LEAST_FRAMES = 5;
/** The boxes of particles are smaller. */
const LEAST_CAMERA_PX = 1024;
/** How many frames a message names. */
const NAMED = 5;

/** The file as far as it matters for its frames. */
export interface Frames {
  readonly kind: MrcKind;
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
}

/** True when the sections are images of their own. */
export function hasFrames(kind: MrcKind): boolean {
  return kind === 'stack' || kind === 'tilt_series';
}

/** The frames whose mean is unlike that of the others, from 0. */
export function oddFrames({ mean, sd }: SectionStatistics, { nx, ny }: Pick<Frames, 'nx' | 'ny'>): number[] {
  const known = mean.filter((value) => value !== null);
  if (known.length < LEAST_FRAMES) return [];
  const middle = median(known);
  const spread = SD_PER_MAD * median(known.map((value) => Math.abs(value - middle)));
  const within = median(sd.filter((value) => value !== null));
  const least = Math.max(nx, ny) > LEAST_CAMERA_PX ? LEAST_SD : LEAST_SD_OF_PARTICLES;
  const limit = REACH * Math.max(spread, LEAST_SD * Math.abs(middle), least * within);
  return [...mean.keys()].filter((at) => Math.abs((mean[at] ?? middle) - middle) > limit);
}

/**
 * The warning `odd_frames`: frames of a stack that have one value only, or that are darker or brighter than the others by
 * more than 5 robust standard deviations. A message counts frames from 1.
 */
export function checkFrames({ kind, nx, ny, nz }: Frames, sections: SectionStatistics | null): Finding<WarningCode>[] {
  if (!hasFrames(kind) || nz === 1 || !sections) return [];
  const { mean, sd } = sections;
  const isVaried = sd.some((value) => value !== null && value > 0);
  const flat = isVaried ? [...sd.keys()].filter((at) => sd[at] === 0) : [];
  const odd = oddFrames(sections, { nx, ny }).filter((at) => !flat.includes(at));
  const middle = median(mean.filter((value) => value !== null));
  const said = [
    ...flat.map((at) => ({ at, is: `is ${print(mean[at] ?? 0)}` })),
    ...odd.map((at) => ({ at, is: `has a mean of ${print(mean[at] ?? 0)}, and the median is ${print(middle)}` })),
  ].sort((a, b) => a.at - b.at);
  if (said.length === 0) return [];
  const named = said.slice(0, NAMED).map(({ at, is }) => `frame ${at + 1} of ${nz} ${is}`);
  const more = said.length > NAMED ? [`and so are ${said.length - NAMED} more`] : [];
  const message = `Some frames are unlike the others: ${[...named, ...more].join('; ')}.`;
  return [{ code: 'odd_frames', message }];
}

/** The electrons of a frame, on average. */
export interface Dose {
  /** Per pixel and frame. */
  readonly per_pixel: number;
  /** Per square ångström and frame; null when the pixel size is not known. */
  readonly per_square_angstrom: number | null;
}

/** Modes that hold counts, and the range of variance ÷ mean of counted electrons; 1 is a Poisson distribution. */
const COUNT_MODES: readonly number[] = [0, 1, 6, 101];
const POISSON: readonly [number, number] = [0.5, 2];

/**
 * The dose of a frame, when the voxels count electrons: whole numbers from 0 whose variance is about their mean, as of
 * counting cameras. Null otherwise, such as for gain-corrected and integrating ones.
 *
 * @param pixel Å along the columns and along the rows.
 */
export function doseOf(
  { kind, nz, mode }: Frames & { readonly mode: number },
  { min, sections }: { readonly min: number | null; readonly sections: SectionStatistics | null },
  pixel: readonly [number, number] | null,
): Dose | null {
  if (!hasFrames(kind) || nz === 1 || !sections || !COUNT_MODES.includes(mode) || min !== 0) return null;
  const mean = median(sections.mean.filter((value) => value !== null));
  const ratio = median(sections.sd.filter((value) => value !== null)) ** 2 / mean;
  if (!(ratio >= POISSON[0] && ratio <= POISSON[1])) return null;
  return { per_pixel: mean, per_square_angstrom: pixel && mean / (pixel[0] * pixel[1]) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}
