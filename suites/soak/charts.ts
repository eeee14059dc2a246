/** Line charts over the time of a soak, as SVG. */
import type { Point } from './flat.ts';

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Of the whole soak, seconds. */
  readonly seconds: number;
  /** Vertical lines, seconds, by their class: `kill`, `restart`, `full`. */
  readonly marks: readonly { readonly at: number; readonly kind: string }[];
  /** In which the quantity must be flat, seconds; null: it need not. */
  readonly evaluated: readonly [number, number] | null;
}

const WIDTH = 940;
const HEIGHT = 250;
const LEFT = 62;
const RIGHT = 150;
const TOP = 34;
const BOTTOM = 28;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;
/** More points than pixels are of no use. */
const MOST_POINTS = 1200;
const COLOURS = ['#2563eb', '#d97706', '#059669', '#dc2626', '#7c3aed', '#0891b2', '#be185d', '#65a30d', '#78716c'];
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; } .title { font-size: 14px; font-weight: 600; }
  .axis { text-anchor: end; } .time { text-anchor: middle; } .grid { stroke: #80808040; stroke-width: 1; }
  .line { fill: none; stroke-width: 1.4; } .evaluated { fill: #80808018; }
  .kill { stroke: #dc262690; } .restart { stroke: #2563eb90; } .full { stroke: #d9770690; }
  .kill, .restart, .full { stroke-width: 1; stroke-dasharray: 2 3; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }`;

export function drawChart({ title, lines, seconds, marks, evaluated }: Chart): string {
  const most = roundUp(Math.max(1e-9, ...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (at: number) => (LEFT + (at / Math.max(1, seconds)) * INNER_WIDTH).toFixed(1);
  const y = (value: number) => (TOP + INNER_HEIGHT * (1 - value / most)).toFixed(1);
  const [bottom, right] = [TOP + INNER_HEIGHT, LEFT + INNER_WIDTH];
  const shade = evaluated
    ? `<rect class="evaluated" x="${x(evaluated[0])}" y="${TOP}" width="${Number(x(evaluated[1])) - Number(x(evaluated[0]))}" height="${INNER_HEIGHT}"/>`
    : '';
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path class="grid" d="M${LEFT} ${y(share * most)}H${right}"/>` +
      `<text class="axis" x="${LEFT - 6}" y="${Number(y(share * most)) + 4}">${print(share * most)}</text>`,
  );
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text class="time" x="${x(share * seconds)}" y="${bottom + 18}">${printTime(share * seconds, seconds)}</text>`,
  );
  const struck = marks.map(({ at, kind }) => `<path class="${kind}" d="M${x(at)} ${TOP}V${bottom}"/>`);
  const drawn = lines.map(({ name, points }, nth) => {
    const colour = COLOURS[nth % COLOURS.length];
    const step = Math.ceil(points.length / MOST_POINTS);
    const some = points.filter((_, at) => at % step === 0);
    const path = some.map(([at, value]) => `${x(at)} ${y(value)}`).join('L');
    const label = `<text x="${right + 10}" y="${TOP + 10 + nth * 17}" style="fill:${colour}">${name}</text>`;
    return (path ? `<path class="line" stroke="${colour}" d="M${path}"/>` : '') + label;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
<style>${STYLE}</style>
<text class="title" x="0" y="18">${title}</text>
${[shade, ...grid, ...times, ...struck, ...drawn].join('\n')}
</svg>
`;
}

/** The next 1, 2, 2.5, 4, 5 or 8 times a power of ten: its quarters are short to print. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 4, 8, 10].find((each) => each * power >= value) ?? 10;
  return factor * power;
}

function print(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(0)}k` : String(Number(value.toPrecision(3)));
}

/** In the unit that suits the whole. */
function printTime(at: number, seconds: number): string {
  if (seconds < 600) return `${Math.round(at)} s`;
  return seconds < 3 * 3600 ? `${Math.round(at / 60)} min` : `${(at / 3600).toFixed(1)} h`;
}
