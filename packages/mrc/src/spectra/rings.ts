import { PLAUSIBLE_VOXEL } from '../check/warnings.ts';
import type { MrcHeader } from '../header/header.ts';
import { voxelSize } from '../header/meaning.ts';
import { drawText, textSize } from '../plots/font.ts';

/** Resolutions of rings and marks in Å. */
export const RESOLUTIONS: readonly number[] = [500, 200, 100, 50, 20, 10, 7, 5, 4, 3, 2.5, 2, 1.5, 1, 0.8, 0.6, 0.5];
/** The least distance of a ring from the previous one and from the middle. */
const MIN_DISTANCE_PX = 24;
/** Length of the dashes and of the gaps of a ring, so that the spectrum stays visible. */
const DASH_PX = 3;
const INK = 255;
/** Position of the labels on their rings: upper right. */
const LABEL_ANGLE = -Math.PI / 4;

/** Å per pixel along the columns and along the rows of the file; null when the header has no plausible size. */
export function pixelSize(header: MrcHeader): readonly [number, number] | null {
  const sizes = voxelSize(header);
  if (!sizes) return null;
  const column = sizes[header.axes[0] - 1] ?? sizes[0];
  const row = sizes[Math.abs(header.axes[1]) - 1] ?? sizes[1];
  const [least, greatest] = PLAUSIBLE_VOXEL;
  const isPlausible = [column, row].every((angstroms) => angstroms >= least && angstroms <= greatest);
  return isPlausible ? [column, row] : null;
}

/** Resolutions in Å, coarse ones first, whose rings fit into a spectrum of `edge` pixels and are far enough apart. */
export function chooseRings(edge: number, pixelAngstroms: number): number[] {
  const chosen: number[] = [];
  let last = 0;
  for (const resolution of RESOLUTIONS) {
    const radius = (edge * pixelAngstroms) / resolution;
    if (radius - last < MIN_DISTANCE_PX || radius > edge / 2 - 1) continue;
    chosen.push(resolution);
    last = radius;
  }
  return chosen;
}

/**
 * Draws rings with their resolutions into a spectrum of edge × edge pixels with frequency 0 at floor(edge / 2),
 * and labels the right edge with its resolution, two pixels per wave.
 */
export function drawRings(
  gray: Uint8Array,
  edge: number,
  [columnAngstroms, rowAngstroms]: readonly [number, number],
): void {
  const half = Math.floor(edge / 2);
  const rings = chooseRings(edge, Math.max(columnAngstroms, rowAngstroms)).map((resolution) => ({
    label: `${resolution} Å`,
    radiusX: (edge * columnAngstroms) / resolution,
    radiusY: (edge * rowAngstroms) / resolution,
  }));
  for (const { radiusX, radiusY } of rings) drawEllipse(gray, edge, radiusX, radiusY);
  for (const { label, radiusX, radiusY } of rings) {
    drawCentred(gray, edge, half + radiusX * Math.cos(LABEL_ANGLE), half + radiusY * Math.sin(LABEL_ANGLE), label);
  }
  drawCentred(gray, edge, edge, half, `${Number((2 * columnAngstroms).toPrecision(3))} Å`);
}

function drawEllipse(gray: Uint8Array, edge: number, radiusX: number, radiusY: number): void {
  const steps = Math.ceil(2 * Math.PI * Math.max(radiusX, radiusY));
  for (let step = 0; step < steps; step++) {
    if (Math.floor(step / DASH_PX) % 2 === 1) continue;
    const angle = (2 * Math.PI * step) / steps;
    const x = Math.floor(edge / 2) + Math.round(radiusX * Math.cos(angle));
    const y = Math.floor(edge / 2) + Math.round(radiusY * Math.sin(angle));
    if (x >= 0 && x < edge && y >= 0 && y < edge) gray[y * edge + x] = INK;
  }
}

/** Draws a text centred at (x, y), moved so that it stays inside the picture. */
function drawCentred(gray: Uint8Array, edge: number, x: number, y: number, text: string): void {
  const { widthPx, heightPx } = textSize(text);
  const left = Math.min(edge - widthPx, Math.max(0, Math.round(x - widthPx / 2)));
  const top = Math.min(edge - heightPx, Math.max(0, Math.round(y - heightPx / 2)));
  drawText(gray, edge, left, top, text);
}
