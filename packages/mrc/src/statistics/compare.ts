import { count, type Finding, print, type WarningCode } from '../finding.ts';
import type { MrcHeader } from '../header/header.ts';
import { statisticsOf } from '../header/meaning.ts';
import type { VoxelStatistics } from './statistics.ts';

/** As mrcfile has it: mean and RMS agree to 1 %, minimum and maximum exactly. */
const TOLERANCE = 0.01;

/** The codes of warnings about voxels, which `compareStatistics` and `checkFrames` return. */
export const VOXEL_WARNINGS: readonly WarningCode[] = [
  'statistics_mismatch',
  'constant_data',
  'not_finite',
  'odd_frames',
];

/**
 * Warnings about the voxels: they disagree with the header, they all have the same value, or some are not finite.
 * Statistics that the header leaves undetermined are not compared.
 */
export function compareStatistics(header: MrcHeader, statistics: Omit<VoxelStatistics, 'hot'>): Finding<WarningCode>[] {
  const { count: finite, min, max, mean, sd, nan, inf } = statistics;
  const findings: Finding<WarningCode>[] = [];
  if (nan + inf > 0) {
    const message = `${count(nan)} voxels are NaN and ${count(inf)} infinite, of ${count(finite + nan + inf)}.`;
    findings.push({ code: 'not_finite', message });
  }
  if (min === null || max === null || mean === null || sd === null) return findings;
  if (min === max && finite > 1) {
    findings.push({ code: 'constant_data', message: `All voxels have the same value, ${print(min)}.` });
  }
  const said = statisticsOf(header);
  const wrong = [
    describe('minimum', said.min, min, 0),
    describe('maximum', said.max, max, 0),
    describe('mean', said.mean, mean, TOLERANCE * Math.max(Math.abs(mean), sd)),
    // Programs that do not compute the RMS leave 0. For constant data no comparison is needed.
    describe('RMS', said.rms || null, sd, TOLERANCE * sd),
  ].filter((each) => each !== null);
  if (wrong.length > 0) {
    findings.push({ code: 'statistics_mismatch', message: `The header and the voxels disagree: ${wrong.join('; ')}.` });
  }
  return findings;
}

function describe(name: string, said: number | null, found: number, tolerance: number): string | null {
  // The header stores float32.
  if (said === null || Math.abs(said - Math.fround(found)) <= tolerance) return null;
  return `the ${name} is ${print(found)}, the header says ${print(said)}`;
}
