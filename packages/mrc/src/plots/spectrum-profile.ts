import type { Picture } from '../pictures/picture.ts';
import type { IcePeak, Profile } from '../spectra/profile.ts';
import { RESOLUTIONS } from '../spectra/rings.ts';
import { drawCurves } from './plot.ts';

const PER_PIXEL: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5];

/**
 * Plots the rotational average of a power spectrum over the spatial frequency. The axis has resolutions in Å, or waves
 * per pixel when the pixel size is not known. A box marks the peak of ice. The plot is `sizePx` wide and half as high.
 */
export function drawProfile(
  profile: Profile,
  hasPixelSize: boolean,
  ice: IcePeak | null,
  sizePx: number,
): Pick<Picture, 'widthPx' | 'heightPx' | 'gray'> {
  const { frequencies: x, logPower: y } = profile;
  const marks = hasPixelSize
    ? RESOLUTIONS.map((angstroms) => ({ x: 1 / angstroms, text: `${angstroms} Å` }))
    : PER_PIXEL.map((waves) => ({ x: waves, text: `${waves}` }));
  const at = ice ? x.findIndex((frequency) => frequency >= (1 - 1e-9) / ice.angstroms) : -1;
  const boxes = ice && at >= 0 ? [{ at, text: `ice ${ice.angstroms.toFixed(2)} Å` }] : [];
  const log10 = y.map((value) => value / Math.LN10);
  return drawCurves([{ title: 'log power', x, y: log10, marks, boxes }], sizePx, Math.floor(sizePx / 2));
}
