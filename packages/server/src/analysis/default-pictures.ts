/** The pictures of a file that are drawn with its statistics, in the thread of the analysis. */
import {
  collectedPicture,
  encodePng,
  type IcePeak,
  type MrcHeader,
  type Picture,
  type PreviewRequest,
  renderPreview,
  type VoxelAnalysis,
  type VoxelLayout,
} from '@cryolift/mrc';
import { type AnalysisResult, THUMBNAIL_PX } from './result.ts';
import type { AnalysisTarget } from './target.ts';
import { openAgain, pacedSource } from './voxel-file.ts';

interface Analyzed {
  readonly target: AnalysisTarget;
  readonly header: MrcHeader;
  readonly layout: VoxelLayout;
  /** It has read the whole file. */
  readonly pass: VoxelAnalysis;
}

/** @returns the pictures, and the peak of ice that a spectrum of them shows. @throws errors with a code of the system. */
export async function drawDefaults(
  analyzed: Analyzed,
  requests: readonly PreviewRequest[],
): Promise<Pick<AnalysisResult, 'previews' | 'thumbnail'> & { ice: IcePeak | null }> {
  const previews: AnalysisResult['previews'] = [];
  let ice: IcePeak | null = null;
  for (const request of requests) {
    const picture = await drawOne(analyzed, request);
    ice ??= picture?.ice ?? null;
    if (picture) previews.push({ request, png: await encodePng(picture) });
  }
  return { previews, thumbnail: previews[0] ? await shrinkMain(analyzed, previews[0].request) : null, ice };
}

async function shrinkMain(analyzed: Analyzed, main: PreviewRequest): Promise<AnalysisResult['thumbnail']> {
  const request = { ...main, sizePx: THUMBNAIL_PX };
  const picture = await drawOne(analyzed, request);
  return picture && { request, png: await encodePng(picture) };
}

async function drawOne({ target, header, layout, pass }: Analyzed, request: PreviewRequest): Promise<Picture | null> {
  const collected = collectedPicture(pass, layout, request);
  if (collected) return collected;
  const { source } = await openAgain(target);
  try {
    const outcome = await renderPreview(pacedSource(source), header, layout, request);
    return outcome.kind === 'picture' ? outcome.picture : null;
  } finally {
    await source.close();
  }
}
