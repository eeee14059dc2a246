import type { MrcHeader } from '../header/header.ts';
import { drawMeans } from '../plots/section-means.ts';
import { renderSpectrum } from '../spectra/render.ts';
import { MAX_SECTIONS, type SectionStatistics } from '../statistics/section-statistics.ts';
import { VoxelAnalysis } from '../voxel-analysis.ts';
import { settleLayout } from '../voxels/settled-layout.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { readAverage } from './average.ts';
import { findLimits } from './contrast.ts';
import { readMontage } from './montage.ts';
import { fileAxisOf, firstVolume } from './orientation.ts';
import { drawable, isTransform, type Picture, paint, sliceOf, toPicture } from './picture.ts';
import type { PreviewRequest } from './preview-request.ts';
import type { Raster } from './raster.ts';
import { readSection, sectionCount } from './section.ts';
import { withoutPadding } from './values.ts';

export type PreviewOutcome =
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'refused'; readonly code: 'slice_out_of_range' | 'not_applicable'; readonly message: string };

const READ_BYTES = 1 << 20;

/**
 * Draws a preview of a file. Its memory does not depend on the header: a few MiB, and 16 MiB and more for a spectrum of
 * 1,024 pixels. A z section reads only that section, an average and the means the whole file, an x section most of it.
 * `request.sizePx`: 64 to 4096.
 * Rejects with the error of `source`.
 */
export async function renderPreview(
  source: VoxelSource,
  header: MrcHeader,
  given: VoxelLayout,
  request: PreviewRequest,
): Promise<PreviewOutcome> {
  const layout = await settleLayout(source, given);
  switch (request.kind) {
    case 'section':
    case 'spectrum':
    case 'profile':
      return await renderOne(source, header, layout, request);
    case 'means':
      return await renderMeans(source, layout, request);
    case 'average':
    case 'montage':
      return layout.nz === 1
        ? refuse('not_applicable', 'The file has one section only.')
        : { kind: 'picture', picture: await renderMany(source, layout, request) };
  }
}

async function renderOne(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
): Promise<PreviewOutcome> {
  const axis = request.kind === 'section' ? request.axis : 'z';
  const across = request.kind === 'section' ? fileAxisOf(layout, axis) : 'z';
  const slice = sliceOf(layout, request);
  const count = sectionCount(layout, across);
  if (slice !== null && (!Number.isInteger(slice) || slice < 0 || slice >= count)) {
    return refuse('slice_out_of_range', `Along ${axis} the file has sections 0 to ${count - 1}, not ${slice}.`);
  }
  if (request.kind === 'section' && slice !== null) {
    // Other sections of a stack of volumes would go through all of them.
    const shown = across === 'z' ? layout : firstVolume(layout);
    const raster = await readSection(source, shown, across, slice, request.sizePx);
    return { kind: 'picture', picture: toPicture(raster, layout, request) };
  }
  if (isTransform(layout)) {
    return refuse('not_applicable', `The data (mode ${layout.mode}) are a Fourier transform already.`);
  }
  const picture = await renderSpectrum(source, header, layout, request, slice);
  if (picture) return { kind: 'picture', picture };
  return refuse('not_applicable', `A power spectrum takes 64 × 64 pixels; a section has ${layout.nx} × ${layout.ny}.`);
}

async function renderMany(source: VoxelSource, layout: VoxelLayout, request: PreviewRequest): Promise<Picture> {
  if (request.kind === 'average') {
    return toPicture(await readAverage(source, layout, request.sizePx), layout, request);
  }
  const isEach = request.contrast === 'cell';
  const montage = await readMontage(source, layout, request.sizePx, (image) =>
    isEach ? scaled(drawable(image, layout)) : drawable(image, layout),
  );
  return paint(montage, layout, request, isEach ? { black: 0, white: 1 } : undefined);
}

/** An image with 0 at its own black and 1 at its own white. */
function scaled(image: Raster): Raster {
  const { black, white } = findLimits(withoutPadding(image), 'cell');
  const middle = (value: number) => (Number.isNaN(value) ? value : 0.5);
  const values = image.values.map((value) => (white > black ? (value - black) / (white - black) : middle(value)));
  return { ...image, values };
}

async function renderMeans(
  source: VoxelSource,
  layout: VoxelLayout,
  { sizePx }: PreviewRequest,
): Promise<PreviewOutcome> {
  if (layout.nz === 1) return refuse('not_applicable', 'The file has one section only.');
  if (layout.nz > MAX_SECTIONS) {
    return refuse(
      'not_applicable',
      `Means are plotted of at most ${MAX_SECTIONS} sections; the file has ${layout.nz}.`,
    );
  }
  const pass = new VoxelAnalysis(layout, 'volume', 1);
  const chunk = new Uint8Array(Math.min(READ_BYTES, layout.dataBytes));
  const end = layout.dataOffset + layout.dataBytes;
  for (let at = layout.dataOffset; at < end; at += chunk.length) {
    const bytes = chunk.subarray(0, Math.min(chunk.length, end - at));
    await source.read(at, bytes);
    pass.add(at, bytes);
  }
  return { kind: 'picture', picture: drawMeans(layout, pass.sectionStatistics() as SectionStatistics, sizePx) };
}

function refuse(code: 'slice_out_of_range' | 'not_applicable', message: string): PreviewOutcome {
  return { kind: 'refused', code, message };
}
