import type { MrcHeader } from '../header/header.ts';
import { type Picture, paint, sliceOf } from '../pictures/picture.ts';
import { contrastOf, type PreviewRequest } from '../pictures/preview-request.ts';
import { drawProfile } from '../plots/spectrum-profile.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { planSpectrum, type SpectrumPlan } from './plan.ts';
import type { PowerSpectrum } from './power.ts';
import { findIcePeak, type IcePeak, rotationalAverage } from './profile.ts';
import { drawRings, pixelSize } from './rings.ts';
import { readSpectrum } from './spectrum.ts';
import { spectrumLimits, viewSpectrum } from './view.ts';

/**
 * Draws the power spectrum of a section or of all (`slice`), or its rotational average (kind `profile`). Null when a
 * section is too small for it.
 */
export async function renderSpectrum(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
  slice: number | null,
): Promise<Picture | null> {
  const range = request.kind === 'profile' ? 'full' : (request.range ?? 'thon');
  const pixel = pixelSize(header);
  const plan = planSpectrum(layout, pixel, range, request.sizePx);
  if (!plan) return null;
  const spectrum = await readSpectrum(source, layout, slice, plan);
  return request.kind === 'profile'
    ? plotProfile(spectrum, pixel, layout, request, slice)
    : drawSpectrum(spectrum, plan, pixel, layout, request, slice);
}

/**
 * Draws the power spectrum and its rotational average from one reading.
 *
 * @param request of the spectrum. Its voxels must not be a transform.
 */
export async function renderSpectrumAndProfile(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
): Promise<{ spectrum: Picture; profile: Picture } | null> {
  const pixel = pixelSize(header);
  const slice = sliceOf(layout, request);
  const plan = planSpectrum(layout, pixel, request.range ?? 'thon', request.sizePx);
  if (!plan) return null;
  const read = await readSpectrum(source, layout, slice, { ...plan, kept: plan.edge / 2 });
  return {
    spectrum: drawSpectrum(read, plan, pixel, layout, request, slice),
    profile: plotProfile(read, pixel, layout, request, slice),
  };
}

type Pixel = readonly [number, number] | null;

function plotProfile(
  spectrum: PowerSpectrum,
  pixel: Pixel,
  layout: VoxelLayout,
  { sizePx }: PreviewRequest,
  slice: number | null,
): Picture {
  const profile = rotationalAverage(spectrum, pixel);
  const ice = pixel && findIcePeak(profile);
  const shows = `Rotational average of the power spectrum of ${nameOf(layout, slice)}${sayIce(ice)}`;
  return { ...drawProfile(profile, pixel !== null, ice, sizePx), black: null, white: null, slice, shows, ice };
}

function drawSpectrum(
  spectrum: PowerSpectrum,
  plan: SpectrumPlan,
  pixel: Pixel,
  layout: VoxelLayout,
  request: PreviewRequest,
  slice: number | null,
): Picture {
  const { sizePx, range = 'thon' } = request;
  const raster = viewSpectrum(spectrum, plan, range, sizePx, layout.isFlipped);
  const picture = paint(raster, layout, request, spectrumLimits(raster, contrastOf(request)));
  if (pixel) drawRings(picture.gray, sizePx, [pixel[0] / plan.crop, pixel[1] / plan.crop]);
  const ice = pixel && findIcePeak(rotationalAverage(spectrum, pixel));
  return { ...picture, slice, shows: `${describe(layout, slice, plan, range)}${sayIce(ice)}`, ice };
}

function sayIce(ice: IcePeak | null): string {
  return ice ? `; a peak at ${ice.angstroms.toFixed(2)} Å, ${ice.ratio.toFixed(1)} times its surroundings` : '';
}

function describe(layout: VoxelLayout, slice: number | null, { crop }: SpectrumPlan, range: 'thon' | 'full'): string {
  const part = range === 'full' ? 'all frequencies' : crop < 1 ? 'frequencies up to 1 / 2.8 Å' : 'for Thon rings';
  const first = layout.isFlipped ? 'first row on top' : 'first row at the bottom';
  return `Logarithm of the power spectrum of ${nameOf(layout, slice)}, less its local mean, ${part}, ${first}`;
}

function nameOf({ nx, ny, nz }: VoxelLayout, slice: number | null): string {
  const size = `${nx} x ${ny} x ${nz} voxels`;
  return slice === null ? `the sections of ${size}, averaged` : `section ${slice} (from 0) of ${size}`;
}
