/**
 * Everything side by side, in one run on one machine; writes `RESULTS.md` and `results.svg`.
 *
 *   npm run bench -- [--size GiB] [--rounds N] [--repeats N] [--load NAME]… [--system NAME]… [--folder PATH] [--dry]
 *
 * `--size`: of the big files (4); the promises and the clients take fixed shares of it. `--load`: one of those in `load.ts`,
 * `promises` or `clients`. `--folder`: on the disk to measure. `--dry`: prints, and writes nothing.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { type Load, listLoads } from './load.ts';
import { type Figures, measure } from './measure.ts';
import { installPeers } from './peers.ts';
import { makePlace } from './place.ts';
import { measurePromises } from './promises.ts';
import { describeRun, type LoadResult, reportClients, reportLoads, reportPromises, totalCpu } from './report/report.ts';
import { writeSection } from './report/results.ts';
import { drawLoads } from './report/svg.ts';
import { measureClients } from './sdk.ts';
import { CRYOLIFT } from './systems/cryolift.ts';
import { FLOOR } from './systems/floor.ts';
import { hasNginx, NGINX } from './systems/nginx.ts';
import type { System } from './systems/system.ts';
import { TUS } from './systems/tus.ts';
import { UPLOADX } from './systems/uploadx.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    repeats: { type: 'string', default: '20' },
    load: { type: 'string', multiple: true },
    system: { type: 'string', multiple: true },
    folder: { type: 'string', default: tmpdir() },
    dry: { type: 'boolean', default: false },
  },
});
const [gib, rounds, repeats] = [Number(options.size), Number(options.rounds), Number(options.repeats)];
const SYSTEMS: readonly System[] = [...CRYOLIFT, TUS, UPLOADX, ...(hasNginx() ? [NGINX] : []), FLOOR];

const loads = listLoads(gib);
const wanted = choose([...loads.map(({ name }) => name), 'promises', 'clients'], options.load);
const systemNames = choose(
  SYSTEMS.map(({ name }) => name),
  options.system,
);
const systems = SYSTEMS.filter(({ name }) => systemNames.includes(name));
const run = describeRun(`node bench/main.ts ${process.argv.slice(2).join(' ')}`.trim());

installPeers();
const place = makePlace(options.folder);

const results: LoadResult[] = [];
for (const load of loads) if (wanted.includes(load.name)) results.push(await measureLoad(load));
if (results.length > 0) {
  publish('loads', reportLoads(results));
  if (!options.dry) writeFileSync(new URL('./results.svg', import.meta.url), drawLoads(results));
}
if (wanted.includes('promises')) {
  const sizes = { busyGib: gib, smallGib: gib / 4, largeGib: gib * 2.5, repeats };
  publish('promises', reportPromises(await measurePromises(place, sizes)));
}
if (wanted.includes('clients'))
  publish('clients', reportClients(gib / 2, await measureClients(place, gib / 2, rounds)));

/** A round of every system, then the next: what else happens on the machine meets all of them. */
async function measureLoad(load: Load): Promise<LoadResult> {
  const figures = new Map(systems.map((system): [System, Figures[]] => [system, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [system, measured] of figures) {
      const title = `${load.name} ${round}/${rounds} ${system.name}`;
      try {
        const one = await measure(system, load, place);
        measured.push(one);
        console.error(`${title}: ${totalCpu(one).toFixed(2)} CPU-s/GiB`);
      } catch (error) {
        // The others are worth having; the report names what is missing.
        console.error(`${title}:`, error);
        process.exitCode = 1;
      }
    }
  }
  return { load, rounds, figures };
}

function publish(section: string, markdown: string): void {
  console.log(`\n${run}\n${markdown}`);
  if (!options.dry) writeSection(section, `${run}\n${markdown}`);
}

/** @throws for a name that there is not. */
function choose(names: readonly string[], asked: readonly string[] = names): readonly string[] {
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${names.join(', ')}`);
  return asked;
}
