/** What is known of a decoded TIFF file, in the forms that are used for MRC files. */
import { type MrcSummary, summarise } from '../check/summary.ts';
import type { Finding, WarningCode } from '../finding.ts';
import { parseHeader } from '../header/header.ts';
import { applyKind } from '../kind/overrides.ts';
import type { FileStatistics } from '../statistics/file-statistics.ts';
import { checkFrames } from '../statistics/frames.ts';
import { MAX_SECTIONS } from '../statistics/section-statistics.ts';
import { type DecodedTiff, tiffHeader, tiffOverrides } from './decoded.ts';
import type { TiffWarningCode } from './finding.ts';
import type { TiffSummary } from './summary.ts';

/** The header of the decoded file, which decides what pictures there are. Null when the file is not decoded. */
export function summariseDecoded(tiff: TiffSummary): MrcSummary | null {
  const decoded = tiffHeader(tiff);
  const summary = decoded && summarise(parseHeader(decoded.header, decoded.sizeBytes), decoded.sizeBytes);
  return summary && applyKind(summary, tiffOverrides(tiff));
}

/** Of an EER movie, the voxels are the sum of its frames: adds what was counted frame by frame. */
export function completeDecoded({ tiff, frames }: DecodedTiff, statistics: FileStatistics): FileStatistics {
  if (!frames || frames.mean.length === 0) return statistics;
  const electrons = frames.mean.reduce((sum: number, mean) => sum + (mean ?? 0), 0) / frames.mean.length;
  const { pixel_size: pixel } = tiff;
  const round = (value: number) => Number(value.toPrecision(7));
  const all = (values: readonly (number | null)[]) => values.map((value) => value && round(value));
  return {
    ...statistics,
    sections: frames.mean.length <= MAX_SECTIONS ? { mean: all(frames.mean), sd: all(frames.sd) } : null,
    dose_per_frame: {
      per_pixel: round(electrons),
      per_square_angstrom: pixel === null ? null : round(electrons / pixel ** 2),
    },
  };
}

/** What the owner of a file should know of data that were read: damage, and frames unlike the others. */
export function checkDecoded({ tiff, frames, findings }: DecodedTiff): Finding<TiffWarningCode | WarningCode>[] {
  const { width: nx, height: ny, frames: nz } = tiff;
  return [...findings, ...checkFrames({ kind: 'stack', nx, ny, nz }, frames)];
}
