/** Draws one picture of a stored file, in the thread of the analysis. */
import {
  describeMrc,
  encodePng,
  layoutOf,
  MRC_HEADER_BYTES,
  type PreviewRequest,
  parseHeader,
  renderPreview,
  TiffDataError,
} from '@cryolift/mrc';
import type { Rendered } from './result.ts';
import type { AnalysisTarget } from './target.ts';
import { openVoxelFile, pacedSource, type VoxelFile } from './voxel-file.ts';

const UNREADABLE: Rendered = {
  kind: 'refused',
  code: 'not_applicable',
  message: 'The voxels of this file cannot be read.',
};

/** @throws errors with a code of the system, and the reason of `signal`. */
export async function drawPicture(
  target: AnalysisTarget,
  request: PreviewRequest,
  signal: AbortSignal,
): Promise<Rendered> {
  let file: VoxelFile | null = null;
  try {
    file = await openVoxelFile(target, signal);
    return file ? await drawFrom(file, target.filename, request, signal) : UNREADABLE;
  } catch (error) {
    if (!(error instanceof TiffDataError)) throw error;
    return { kind: 'refused', code: 'not_applicable', message: error.message };
  } finally {
    await file?.source.close();
  }
}

async function drawFrom(
  { source, sizeBytes, overrides }: VoxelFile,
  filename: string,
  request: PreviewRequest,
  signal: AbortSignal,
): Promise<Rendered> {
  const head = Buffer.alloc(Math.min(MRC_HEADER_BYTES, sizeBytes));
  await source.read(0, head);
  const stored = head.length < MRC_HEADER_BYTES ? null : parseHeader(head, sizeBytes);
  const layout = stored && layoutOf(stored, sizeBytes, overrides);
  if (!stored || !layout) return UNREADABLE;
  const voxels = pacedSource(source, signal);
  const { header } = await describeMrc(voxels, stored, { sizeBytes, filename });
  const outcome = await renderPreview(voxels, header, layout, request);
  if (outcome.kind === 'refused') return outcome;
  return { kind: 'png', png: await encodePng(outcome.picture) };
}
