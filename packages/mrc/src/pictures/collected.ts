import { drawMeans } from '../plots/section-means.ts';
import type { VoxelAnalysis } from '../voxel-analysis.ts';
import type { VoxelLayout } from '../voxels/voxels.ts';
import { fileAxisOf } from './orientation.ts';
import { type Picture, toPicture } from './picture.ts';
import type { PreviewRequest } from './preview-request.ts';

/**
 * A picture of what one pass over a whole file has collected. Null when voxels must be read for it.
 *
 * @param request its `sizePx` is the long side of the pass's rasters.
 */
export function collectedPicture(pass: VoxelAnalysis, layout: VoxelLayout, request: PreviewRequest): Picture | null {
  const { kind, axis, slice, sizePx, region, slab = 1, lowPass } = request;
  if (region || slab > 1 || lowPass !== undefined) return null;
  if (kind === 'means') {
    const sections = pass.sectionStatistics();
    return sections && drawMeans(layout, sections, sizePx);
  }
  if (kind === 'average') {
    const average = pass.average();
    return average && toPicture(average, layout, request);
  }
  // The pass collects the central sections of all volumes together.
  const isCentral = slice === null && layout.volumeSections === layout.nz;
  return kind === 'section' && isCentral ? toPicture(pass.section(fileAxisOf(layout, axis)), layout, request) : null;
}
