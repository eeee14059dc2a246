import type { Raster } from '../pictures/raster.ts';
import { drawText, textSize } from './font.ts';

/** One curve with its axes. */
export interface Curve {
  /** What is drawn, above the curve on the left. */
  readonly title: string;
  /** Ascending. */
  readonly x: readonly number[];
  /** Null: a gap. */
  readonly y: readonly (number | null)[];
  /** Where the x axis has a mark, and its text. */
  readonly marks: readonly { readonly x: number; readonly text: string }[];
  /** Points that are drawn with a box around them, and perhaps a text above. */
  readonly boxes: readonly { readonly at: number; readonly text: string }[];
}

const BACKGROUND = 0;
const GRID = 70;
const INK = 255;
const MARGIN = { left: 58, right: 12, top: 16, bottom: 16 };
const BOX_PX = 3;
const Y_MARKS = 3;

/** Draws curves one below the other, each in an equal share of the height. */
export function drawCurves(
  curves: readonly Curve[],
  widthPx: number,
  heightPx: number,
): Pick<Raster, 'widthPx' | 'heightPx'> & { gray: Uint8Array } {
  const gray = new Uint8Array(widthPx * heightPx).fill(BACKGROUND);
  const share = Math.floor(heightPx / curves.length);
  curves.forEach((curve, index) => {
    drawCurve({ gray, widthPx, top: index * share, heightPx: share }, curve);
  });
  return { widthPx, heightPx, gray };
}

interface Panel {
  readonly gray: Uint8Array;
  readonly widthPx: number;
  readonly top: number;
  readonly heightPx: number;
}

function drawCurve(panel: Panel, { title, x, y, marks, boxes }: Curve): void {
  const [left, right] = [MARGIN.left, panel.widthPx - 1 - MARGIN.right];
  const [top, bottom] = [panel.top + MARGIN.top, panel.top + panel.heightPx - 1 - MARGIN.bottom];
  const [least, greatest] = rangeOf(y);
  const [first, last] = [x[0] ?? 0, x.at(-1) ?? 1];
  const atX = (value: number) => Math.round(left + ((value - first) / (last - first || 1)) * (right - left));
  const atY = (value: number) => Math.round(bottom - ((value - least) / (greatest - least)) * (bottom - top));
  for (let mark = 0; mark < Y_MARKS; mark++) {
    const value = least + ((greatest - least) * mark) / (Y_MARKS - 1);
    line(panel, left, atY(value), right, atY(value), GRID);
    const text = printShort(value);
    write(panel, left - 4 - textSize(text).widthPx, atY(value) - 6, text);
  }
  let free = 0;
  for (const mark of marks) {
    const column = atX(mark.x);
    const { widthPx } = textSize(mark.text);
    const from = Math.round(column - widthPx / 2);
    if (mark.x < first || mark.x > last || from < free || from + widthPx > panel.widthPx) continue;
    line(panel, column, top, column, bottom, GRID);
    write(panel, from, bottom + 3, mark.text);
    free = from + widthPx + 4;
  }
  write(panel, left, panel.top + 2, title);
  let before: readonly [number, number] | null = null;
  x.forEach((value, at) => {
    const height = y[at] ?? null;
    const point = height === null ? null : ([atX(value), atY(height)] as const);
    if (point) line(panel, ...(before ?? point), ...point, INK);
    before = point;
  });
  for (const { at, text } of boxes) {
    const height = y[at] ?? null;
    if (height === null) continue;
    const [column, row] = [atX(x[at] as number), atY(height)];
    for (const side of [-BOX_PX, BOX_PX]) {
      line(panel, column - BOX_PX, row + side, column + BOX_PX, row + side, INK);
      line(panel, column + side, row - BOX_PX, column + side, row + BOX_PX, INK);
    }
    if (text !== '') write(panel, column + 2 * BOX_PX, row - 6, text);
  }
}

/** From the least to the greatest value, with some room; never empty. */
function rangeOf(y: readonly (number | null)[]): [least: number, greatest: number] {
  const known = y.filter((value) => value !== null);
  const [least, greatest] = known.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as const,
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
  );
  if (known.length === 0) return [0, 1];
  const room = (greatest - least) * 0.05 || Math.abs(greatest) * 0.05 || 1;
  return [least - room, greatest + room];
}

function printShort(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}

/** Writes a text, moved so that it stays inside the picture. */
function write({ gray, widthPx }: Panel, left: number, top: number, text: string): void {
  const box = textSize(text);
  const lastRow = gray.length / widthPx - box.heightPx;
  drawText(
    gray,
    widthPx,
    Math.max(0, Math.min(widthPx - box.widthPx, left)),
    Math.max(0, Math.min(lastRow, top)),
    text,
  );
}

function line({ gray, widthPx }: Panel, x0: number, y0: number, x1: number, y1: number, ink: number): void {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  const heightPx = gray.length / widthPx;
  for (let step = 0; step <= steps; step++) {
    const x = Math.round(x0 + ((x1 - x0) * step) / steps);
    const y = Math.round(y0 + ((y1 - y0) * step) / steps);
    if (x >= 0 && x < widthPx && y >= 0 && y < heightPx) gray[y * widthPx + x] = ink;
  }
}
