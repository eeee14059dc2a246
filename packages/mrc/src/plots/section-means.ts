import type { Picture } from '../pictures/picture.ts';
import { oddFrames } from '../statistics/frames.ts';
import type { SectionStatistics } from '../statistics/section-statistics.ts';
import type { VoxelLayout } from '../voxels/voxels.ts';
import { drawCurves } from './plot.ts';

const MARKS = 8;

/**
 * Plots the mean and the standard deviation of each section, counted from 1. Boxes mark the sections whose mean is
 * unlike that of the others. The plot is `sizePx` wide and half as high.
 */
export function drawMeans(
  { nx, ny, nz }: Pick<VoxelLayout, 'nx' | 'ny' | 'nz'>,
  sections: SectionStatistics,
  sizePx: number,
): Picture {
  const x = Array.from({ length: nz }, (_, at) => at + 1);
  const step = niceStep(nz / MARKS);
  const marks = x.filter((value) => value % step === 0 || value === 1).map((value) => ({ x: value, text: `${value}` }));
  const boxes = oddFrames(sections, { nx, ny }).map((at) => ({ at, text: '' }));
  const plot = drawCurves(
    [
      { title: 'mean of section', x, y: sections.mean, marks, boxes },
      { title: 'SD of section', x, y: sections.sd, marks, boxes: [] },
    ],
    sizePx,
    Math.floor(sizePx / 2),
  );
  const odd = boxes.length === 0 ? '' : `; sections unlike the others: ${boxes.map(({ at }) => at + 1).join(', ')}`;
  const shows = `Mean and standard deviation of the ${nz} sections (from 1) of ${nx} x ${ny} voxels${odd}`;
  return { ...plot, black: null, white: null, slice: null, shows };
}

/** The least of 1, 2, 5, 10, 20, 50 … that is not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}
