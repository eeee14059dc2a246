import { count, type Finding, type NoteCode, type WarningCode } from '../finding.ts';
import type { MrcHeader } from '../header/header.ts';
import type { MrcKind } from '../kind/kind.ts';
import { type IcePeak, noteIce } from '../spectra/profile.ts';
import { pixelSize } from '../spectra/rings.ts';
import type { VoxelAnalysis } from '../voxel-analysis.ts';
import type { VoxelLayout } from '../voxels/voxels.ts';
import { compareStatistics } from './compare.ts';
import { checkFrames, type Dose, doseOf, hasFrames } from './frames.ts';
import type { SectionStatistics } from './section-statistics.ts';
import type { VoxelStatistics } from './statistics.ts';

/** All that is computed of the voxels of a file, with the names of Cryolift's API. Safe for JSON. */
export interface FileStatistics extends Omit<VoxelStatistics, 'hot'> {
  /** Hot pixels; null for volumes, which may have values far above all others by nature. */
  readonly hot: number | null;
  /** Null for files of more than 2,048 sections. */
  readonly sections: SectionStatistics | null;
  /** Electrons of a frame; null unless the voxels count electrons. */
  readonly dose_per_frame: Dose | null;
  /** The peak of ice in the power spectrum; null when there is none, or no spectrum. */
  readonly ice: IcePeak | null;
}

/** The statistics of a file after one pass. `ice`: what a picture of its spectrum has found. */
export function sumUpFile(
  pass: VoxelAnalysis,
  header: MrcHeader,
  layout: VoxelLayout,
  kind: MrcKind,
  ice: IcePeak | null,
): FileStatistics {
  const statistics = pass.statistics();
  const sections = pass.sectionStatistics();
  const dose = doseOf({ ...layout, kind }, { min: statistics.min, sections }, pixelSize(header));
  const hot = kind === 'image' || hasFrames(kind) ? statistics.hot : null;
  return { ...statistics, hot, sections, dose_per_frame: dose, ice };
}

/** What the owner of a file should know of its voxels. */
export function checkVoxels(
  statistics: FileStatistics,
  header: MrcHeader,
  kind: MrcKind,
): { warnings: Finding<WarningCode>[]; notes: Finding<NoteCode>[] } {
  const { nx, ny, nz } = header;
  return {
    warnings: [...compareStatistics(header, statistics), ...checkFrames({ kind, nx, ny, nz }, statistics.sections)],
    notes: [...noteHotPixels(statistics), ...noteIce(statistics.ice)],
  };
}

/** The note `hot_pixels`. */
function noteHotPixels({ hot, count: finite }: FileStatistics): Finding<NoteCode>[] {
  if (!hot) return [];
  const message =
    `${count(hot)} of ${count(finite)} pixels are hot: above the mean by more than 20 standard deviations of the ` +
    'others. Pictures leave them out of the contrast.';
  return [{ code: 'hot_pixels', message }];
}
