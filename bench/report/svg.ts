/** A chart of bars: CPU seconds per GiB, user and system stacked, a group of bars for each load. */
import { describeLoad } from '../load.ts';
import type { LoadResult } from './loads.ts';
import { median } from './quantile.ts';
import { totalCpu } from './report.ts';

const WIDTH = 880;
const LEFT = 190;
const RIGHT = 80;
const TOP = 60;
const BAR = 14;
const STEP = 20;
const GROUP_HEAD = 30;
const GROUP_GAP = 14;

/** Mid tones stand on white and on black; only text changes with the reader's theme. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; } .group { font-weight: 600; } .name { text-anchor: end; }
  .user { fill: #3b82f6; } .system { fill: #f59e0b; } .spread { stroke: #808890; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
`;

export function drawLoads(results: readonly LoadResult[]): string {
  const greatest = Math.max(...results.flatMap(({ figures }) => [...figures.values()].flat().map(totalCpu)));
  const scale = (WIDTH - LEFT - RIGHT) / greatest;
  let y = TOP;
  const groups = results.map(({ load, figures }) => {
    const lines = [text(0, y + 18, 'group', `${load.name}: ${describeLoad(load)}`)];
    y += GROUP_HEAD;
    for (const [{ name }, rounds] of figures) {
      const user = median(rounds.map(({ cpu }) => cpu.user)) || 0;
      const system = median(rounds.map(({ cpu }) => cpu.system)) || 0;
      const totals = rounds.map(totalCpu);
      const [least, most] = totals.length > 0 ? [Math.min(...totals), Math.max(...totals)] : [0, 0];
      lines.push(
        text(LEFT - 8, y + BAR - 3, 'name', name),
        bar(LEFT, y, user * scale, 'user'),
        bar(LEFT + user * scale, y, system * scale, 'system'),
        `<path class="spread" d="M${round(LEFT + least * scale)} ${y + BAR / 2}H${round(LEFT + most * scale)}"/>`,
        text(
          LEFT + Math.max(most, user + system) * scale + 6,
          y + BAR - 3,
          'value',
          rounds.length > 0 ? median(totals).toFixed(2) : 'failed',
        ),
      );
      y += STEP;
    }
    y += GROUP_GAP;
    return lines.join('\n');
  });
  const legend = [
    text(0, 18, 'title', 'CPU seconds of the server for each GiB received (median; line: least to greatest)'),
    bar(LEFT, 32, BAR, 'user'),
    text(LEFT + 20, 43, 'value', 'user'),
    bar(LEFT + 70, 32, BAR, 'system'),
    text(LEFT + 90, 43, 'value', 'system'),
  ];
  const size = `width="${WIDTH}" height="${y}" viewBox="-8 0 ${WIDTH} ${y}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="CPU seconds per GiB">
<style>${STYLE}</style>
${[...legend, ...groups].join('\n')}
</svg>
`;
}

function bar(x: number, y: number, width: number, kind: string): string {
  return `<rect class="${kind}" x="${round(x)}" y="${y}" width="${round(width)}" height="${BAR}"/>`;
}

function text(x: number, y: number, kind: string, words: string): string {
  return `<text class="${kind}" x="${round(x)}" y="${y}">${words}</text>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
