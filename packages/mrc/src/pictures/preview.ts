import type { MrcHeader } from '../header/header.ts';
import { drawRings, pixelSize } from '../spectra/rings.ts';
import { readSpectrum, spectrumLimits, tileEdge } from '../spectra/spectrum.ts';
import { settleLayout } from '../voxels/settled-layout.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { readAverage } from './average.ts';
import { readMontage } from './montage.ts';
import { fileAxisOf, firstVolume } from './orientation.ts';
import { type Picture, paint, sliceOf, toPicture } from './picture.ts';
import type { PreviewRequest } from './preview-request.ts';
import { readSection, sectionCount } from './section.ts';

export type PreviewOutcome =
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'refused'; readonly code: 'slice_out_of_range' | 'not_applicable'; readonly message: string };

/** The complex modes: their data are already a Fourier transform. */
const TRANSFORM_MODES: readonly number[] = [3, 4];

/**
 * Draws a preview of a file. It uses a few MiB of memory with any header. A z section reads only that
 * section, an average the whole file, an x section most of it. `request.sizePx`: 64 to 4096.
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
      return await renderOne(source, header, layout, request);
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
  const slice = sliceOf(layout, request) as number;
  const count = sectionCount(layout, across);
  if (!Number.isInteger(slice) || slice < 0 || slice >= count) {
    return refuse('slice_out_of_range', `Along ${axis} the file has sections 0 to ${count - 1}, not ${slice}.`);
  }
  if (request.kind === 'spectrum') return await renderSpectrum(source, header, layout, request, slice);
  // Other sections of a stack of volumes would go through all of them.
  const raster = await readSection(
    source,
    across === 'z' ? layout : firstVolume(layout),
    across,
    slice,
    request.sizePx,
  );
  return { kind: 'picture', picture: toPicture(raster, layout, request) };
}

async function renderMany(source: VoxelSource, layout: VoxelLayout, request: PreviewRequest): Promise<Picture> {
  return request.kind === 'average'
    ? toPicture(await readAverage(source, layout, request.sizePx), layout, request)
    : paint(await readMontage(source, layout, request.sizePx), layout, request);
}

async function renderSpectrum(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
  slice: number,
): Promise<PreviewOutcome> {
  if (TRANSFORM_MODES.includes(layout.mode)) {
    return refuse('not_applicable', `The data (mode ${layout.mode}) are a Fourier transform already.`);
  }
  const edge = tileEdge(layout, request.sizePx);
  if (edge === null) {
    return refuse(
      'not_applicable',
      `A power spectrum takes 64 × 64 pixels; a section has ${layout.nx} × ${layout.ny}.`,
    );
  }
  const raster = await readSpectrum(source, layout, slice, edge);
  const picture = paint(raster, layout, request, spectrumLimits(raster, request.contrast));
  const angstroms = pixelSize(header);
  if (angstroms) drawRings(picture.gray, edge, angstroms);
  return { kind: 'picture', picture };
}

function refuse(code: 'slice_out_of_range' | 'not_applicable', message: string): PreviewOutcome {
  return { kind: 'refused', code, message };
}
