import type { MrcHeader } from '../header/header.ts';
import { drawMeans } from '../plots/section-means.ts';
import { renderSpectrum } from '../spectra/render.ts';
import { MAX_SECTIONS, type SectionStatistics } from '../statistics/section-statistics.ts';
import { lowPass, sigmasOf } from '../views/low-pass.ts';
import { readView } from '../views/read-view.ts';
import { slabAround } from '../views/slab.ts';
import { VoxelAnalysis } from '../voxel-analysis.ts';
import type { Stretch } from '../voxels/rows.ts';
import { settleLayout } from '../voxels/settled-layout.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { findLimits } from './contrast.ts';
import { readMontage } from './montage.ts';
import { fileAxisOf, firstVolume } from './orientation.ts';
import { drawable, isTransform, type Picture, paint, sliceOf, toPicture } from './picture.ts';
import type { PreviewRequest } from './preview-request.ts';
import type { Raster } from './raster.ts';
import { sectionCount } from './section.ts';
import { withoutPadding } from './values.ts';

export type PreviewOutcome =
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

type RefusalCode = 'slice_out_of_range' | 'region_out_of_range' | 'not_applicable';

const READ_BYTES = 1 << 20;
const NO_LOW_PASS = 'A low-pass needs images, and the size of a voxel in Å; the header has none.';
const ONE_SECTION = 'The file has one section only.';

/**
 * Draws a preview of a file. Its memory does not depend on the header: a few MiB, and 16 MiB and more for a spectrum of
 * 1,024 pixels. A z section reads only that section, a region only its rows and a sample, an average and the means the
 * whole file, an x section most of it.
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
      return layout.nz === 1
        ? refuse('not_applicable', ONE_SECTION)
        : await renderView(source, header, layout, { from: 0, to: layout.nz }, request);
    case 'montage':
      return layout.nz === 1
        ? refuse('not_applicable', ONE_SECTION)
        : await renderMontage(source, header, layout, request);
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
    const slices = slabAround(across === 'z' ? layout.volumeSections : count, slice, request.slab);
    return await renderView(source, header, shown, slices, request, layout);
  }
  if (isTransform(layout)) {
    return refuse('not_applicable', `The data (mode ${layout.mode}) are a Fourier transform already.`);
  }
  const picture = await renderSpectrum(source, header, layout, request, slice);
  if (picture) return { kind: 'picture', picture };
  return refuse('not_applicable', `A power spectrum takes 64 × 64 pixels; a section has ${layout.nx} × ${layout.ny}.`);
}

/** @param whole described in the picture: `layout` may be one volume of it. */
async function renderView(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  slices: Stretch,
  request: PreviewRequest,
  whole = layout,
): Promise<PreviewOutcome> {
  if (isTransform(layout) && (request.region ?? request.lowPass) !== undefined) {
    return refuse('not_applicable', `A Fourier transform (mode ${layout.mode}) has no regions and no low-pass.`);
  }
  const view = await readView(source, header, layout, slices, request);
  if ('code' in view) return { kind: 'refused', ...view };
  return { kind: 'picture', picture: toPicture(view.raster, whole, request, view.limits) };
}

async function renderMontage(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
): Promise<PreviewOutcome> {
  const isEach = request.contrast === 'cell';
  const sigmas = request.lowPass === undefined ? null : sigmasOf(header, layout, [0, 1], request.lowPass);
  if (request.lowPass !== undefined && (!sigmas || isTransform(layout))) return refuse('not_applicable', NO_LOW_PASS);
  const montage = await readMontage(source, layout, request.sizePx, (image) => {
    const factor = Math.ceil(layout.nx / image.widthPx);
    const filtered = sigmas ? lowPass(image, [sigmas[0] / factor, sigmas[1] / factor]) : image;
    return isEach ? scaled(drawable(filtered, layout)) : drawable(filtered, layout);
  });
  const limits = isEach ? { black: 0, white: 1 } : undefined;
  return { kind: 'picture', picture: paint(montage, layout, request, limits) };
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
  if (layout.nz === 1) return refuse('not_applicable', ONE_SECTION);
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

function refuse(code: RefusalCode, message: string): PreviewOutcome {
  return { kind: 'refused', code, message };
}
