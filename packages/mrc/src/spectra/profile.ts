import type { Finding, NoteCode } from '../finding.ts';
import type { PowerSpectrum } from './power.ts';

/** The rotational average of a power spectrum: how much power there is at each spatial frequency. */
export interface Profile {
  /** Spatial frequencies in ascending order: 1 / Å, or waves per pixel when the pixel size is not known. */
  readonly frequencies: readonly number[];
  /** The natural logarithm of the mean power at each. */
  readonly logPower: readonly number[];
}

/** Bins from 0 to the greatest frequency of the longer pixel edge. */
const LEAST_BIN = 3;

/**
 * Averages a spectrum around frequency 0. It leaves out the middle, which has the contrast of the whole image.
 *
 * @param pixel Å along the columns and along the rows; null when not known.
 */
export function rotationalAverage(
  { edge, kept, power }: PowerSpectrum,
  pixel: readonly [number, number] | null,
): Profile {
  const [unitX, unitY] = (pixel ?? [1, 1]).map((angstroms) => 1 / (angstroms * edge)) as [number, number];
  const unit = Math.min(unitX, unitY);
  const sums = new Float64Array(kept + 1);
  const counts = new Float64Array(kept + 1);
  for (let kx = 0, at = 0; kx <= kept; kx++) {
    for (let ky = -kept; ky <= kept; ky++, at++) {
      const bin = Math.round(Math.hypot(kx * unitX, ky * unitY) / unit);
      if (bin > kept) continue;
      sums[bin] = (sums[bin] as number) + (power[at] as number);
      counts[bin] = (counts[bin] as number) + 1;
    }
  }
  const bins = [...counts.keys()].filter((bin) => bin >= LEAST_BIN && (sums[bin] as number) > 0);
  return {
    frequencies: bins.map((bin) => bin * unit),
    logPower: bins.map((bin) => Math.log((sums[bin] as number) / (counts[bin] as number))),
  };
}

/** A peak that ice makes. */
export interface IcePeak {
  readonly angstroms: number;
  /** How many times the power of its surroundings it has. */
  readonly ratio: number;
}

/** Å: where ice has its rings (hexagonal 3.90, 3.67 and 3.44, cubic 3.66), and the surroundings on both sides. */
const ICE: readonly [number, number] = [3.58, 3.95];
const COARSER: readonly [number, number] = [4.1, 5];
const FINER: readonly [number, number] = [3, 3.4];
/** A peak must stand out from the surroundings by so many of their standard deviations, and by so much power. */
const SIGMAS = 5;
const LEAST_RATIO = 1.15;
/** Fewer frequencies say nothing about their surroundings. */
const LEAST_FREQUENCIES = 3;

/**
 * The peak of ice in a rotational average, or null when there is none, or when its frequencies are beyond the pixels. A
 * straight line through the logarithms on both sides is what the power would be without it.
 *
 * @param profile with frequencies in 1 / Å.
 */
export function findIcePeak(profile: Profile): IcePeak | null {
  const within = ([finest, coarsest]: readonly [number, number]) =>
    [...profile.frequencies.keys()].filter((at) => {
      const angstroms = 1 / (profile.frequencies[at] as number);
      return angstroms >= finest && angstroms <= coarsest;
    });
  const [ice, coarser, finer] = [within(ICE), within(COARSER), within(FINER)];
  if (Math.min(ice.length, coarser.length, finer.length) < LEAST_FREQUENCIES) return null;
  const line = fitLine(profile, [...coarser, ...finer]);
  const above = (at: number) => (profile.logPower[at] as number) - line(profile.frequencies[at] as number);
  const around = [...coarser, ...finer];
  const spread = Math.sqrt(around.reduce((sum, at) => sum + above(at) ** 2, 0) / around.length);
  const peak = ice.reduce((best, at) => (above(at) > above(best) ? at : best));
  if (above(peak) < Math.max(SIGMAS * spread, Math.log(LEAST_RATIO))) return null;
  return { angstroms: 1 / (profile.frequencies[peak] as number), ratio: Math.exp(above(peak)) };
}

/** The line through the logarithms at these frequencies with the least squares. */
function fitLine({ frequencies, logPower }: Profile, at: readonly number[]): (frequency: number) => number {
  const mean = (values: readonly number[]) => at.reduce((sum, i) => sum + (values[i] as number), 0) / at.length;
  const [middle, level] = [mean(frequencies), mean(logPower)];
  let [product, square] = [0, 0];
  for (const i of at) {
    product += ((frequencies[i] as number) - middle) * ((logPower[i] as number) - level);
    square += ((frequencies[i] as number) - middle) ** 2;
  }
  return (frequency) => level + (product / square) * (frequency - middle);
}

/** The note `ice`: the spectrum has a peak where ice has its rings. */
export function noteIce(ice: IcePeak | null): Finding<NoteCode>[] {
  if (!ice) return [];
  const message =
    `The power spectrum has a peak at ${ice.angstroms.toFixed(2)} Å, ${ice.ratio.toFixed(1)} times its surroundings: ` +
    'probably crystalline ice.';
  return [{ code: 'ice', message }];
}
