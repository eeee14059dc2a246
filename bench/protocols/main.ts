/**
 * What a tus upload costs the server: Cryolift, which verifies it, beside `@tus/server` and tusd, in turns.
 * `npm run bench:protocols [-- --size GiB --rounds N --folder PATH --dry]`. `--dry`: prints, and writes nothing.
 */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { GIB, MIB } from '@cryolift/protocol/plan';
import { missingTusd } from '../../suites/protocols/peers/tusd.ts';
import type { Load } from '../load.ts';
import { type Figures, measure } from '../measure.ts';
import { installPeers } from '../peers.ts';
import { makePlace } from '../place.ts';
import { median } from '../report/quantile.ts';
import { describeRun, totalCpu } from '../report/report.ts';
import { writeSection } from '../report/results.ts';
import type { System } from '../systems/system.ts';
import { listContestants } from './contestants.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    dry: { type: 'boolean', default: false },
  },
});
const fileBytes = Number(options.size) * GIB;
const ONE_FILE = { kinds: ['upload'], files: 1, fileBytes, connections: 1 } as const;
const LOADS: readonly Load[] = [
  { ...ONE_FILE, name: 'one PATCH', partBytes: fileBytes },
  { ...ONE_FILE, name: 'PATCHes of 8 MiB', partBytes: 8 * MIB },
];

installPeers();
const missing = missingTusd();
if (missing) console.log(`not run: ${missing}`);
const place = makePlace(options.folder);
const contestants = listContestants(!missing);
const run = describeRun(`node bench/protocols/main.ts ${process.argv.slice(2).join(' ')}`.trim());
const sections: string[] = [];
for (const each of LOADS) sections.push(report(each, await measureAll(each)));
const markdown = [run, ...contestants.map(({ name, what }) => `- \`${name}\`: ${what}`), '', ...sections].join('\n');
console.log(markdown);
if (!options.dry) writeSection('protocols', markdown);

/** A round of every server, then the next: what else happens on the machine meets all of them. */
async function measureAll(each: Load): Promise<ReadonlyMap<System, readonly Figures[]>> {
  const all = new Map(contestants.map((contestant): [System, Figures[]] => [contestant, []]));
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const [contestant, figures] of all) {
      const one = await measure(contestant, each, place);
      figures.push(one);
      console.error(`${each.name} ${round} ${contestant.name}: ${cpuOf(one).toFixed(2)} CPU-s/GiB`);
    }
  }
  return all;
}

/** Until the file is published, where that takes longer than the last answer. */
function cpuOf(figures: Figures): number {
  return figures.completed?.cpuSeconds ?? totalCpu(figures);
}

function report({ name }: Load, all: ReadonlyMap<System, readonly Figures[]>): string {
  const cpus = new Map([...all].map(([contestant, figures]) => [contestant.name, median(figures.map(cpuOf))]));
  const ratio = (own: number, peer: string) => {
    const cpu = cpus.get(peer);
    return cpu === undefined ? '–' : (own / cpu).toFixed(2);
  };
  const rows = [...all].map(([contestant, figures]) => {
    const cpu = cpus.get(contestant.name) ?? Number.NaN;
    const seconds = median(figures.map((each) => each.seconds));
    const peak = median(figures.map((each) => each.peakBytes)) / MIB;
    const cells = [cpu.toFixed(2), ratio(cpu, 'tus'), ratio(cpu, 'tusd'), seconds.toFixed(2), peak.toFixed(0)];
    return `| ${contestant.name} | ${cells.join(' | ')} |`;
  });
  const head = '|  | CPU-s/GiB | ÷ tus | ÷ tusd | wall s/GiB | peak MiB |\n| --- | --: | --: | --: | --: | --: |';
  return `### ${name}\n\n${head}\n${rows.join('\n')}\n`;
}
