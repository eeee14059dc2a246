/**
 * Everything side by side, in one run on one machine; writes `RESULTS.md` and `results.svg`.
 *
 *   npm run bench -- [--table] [--size GiB] [--rounds N] [--repeats N] [--load NAME]… [--system NAME]… [--folder PATH]
 *     [--dry]
 *
 * `--table`: the lines of `report/aims.ts`, and only the loads and systems that they need. `--size`: of the big files (4);
 * the others take fixed shares of it. `--load`: one of those in `load.ts`, `promises` or `clients`. `--folder`: on the disk
 * to measure. `--dry`: prints, and writes nothing. An object storage has a command of its own: `bench:object-storage`.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { type Kind, type Load, listLoads } from './load.ts';
import { type Figures, measure } from './measure.ts';
import { installPeers } from './peers.ts';
import { makePlace } from './place.ts';
import { primeMemory } from './prime.ts';
import { measurePromises } from './promises.ts';
import { AIM_LOADS, AIM_SYSTEMS, reportAims } from './report/aims.ts';
import { type LoadResult, reportLoads } from './report/loads.ts';
import { describeRun, reportClients, reportPromises, totalCpu } from './report/report.ts';
import { writeSection } from './report/results.ts';
import { drawLoads } from './report/svg.ts';
import { measureClients } from './sdk.ts';
import { listSystems } from './systems/list.ts';
import type { System } from './systems/system.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '4' },
    table: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    repeats: { type: 'string', default: '20' },
    load: { type: 'string', multiple: true },
    system: { type: 'string', multiple: true },
    folder: { type: 'string', default: tmpdir() },
    dry: { type: 'boolean', default: false },
  },
});
const [gib, rounds, repeats] = [Number(options.size), Number(options.rounds), Number(options.repeats)];
const loads = listLoads(gib);
const { systems: all, missing } = listSystems();
const names = [...loads.map(({ name }) => name), 'promises', 'clients'];
const wanted = choose(names, options.load ?? (options.table ? AIM_LOADS : names));
const systemNames = all.map(({ name }) => name);
const wantedSystems = options.system
  ? choose(systemNames, options.system)
  : systemNames.filter((name) => !options.table || AIM_SYSTEMS.includes(name));
const systems = all.filter(({ name }) => wantedSystems.includes(name));

installPeers();
const place = makePlace(options.folder);
const run = [
  describeRun(`node bench/main.ts ${process.argv.slice(2).join(' ')}`.trim()),
  primeMemory(),
  ...missing.map((reason) => `Not measured: ${reason}.`),
  '',
].join('\n');
console.error(run);

const results: LoadResult[] = [];
for (const load of loads) if (wanted.includes(load.name)) results.push(await measureLoad(load));
if (options.table) {
  publish('aims', `${reportAims(results)}\n${reportLoads(results)}`);
} else {
  publishLoads('loads', 'upload');
  publishLoads('downloads', 'download');
  publishLoads('small-files', 'small-files');
}
if (wanted.includes('promises')) {
  const sizes = { busyGib: gib, smallGib: gib / 4, largeGib: gib * 2.5, repeats };
  publish('promises', reportPromises(await measurePromises(place, sizes)));
}
if (wanted.includes('clients'))
  publish('clients', reportClients(gib / 2, await measureClients(place, gib / 2, rounds)));

/** A round of every system, then the next: what else happens on the machine meets all of them. */
async function measureLoad(load: Load): Promise<LoadResult> {
  const its = systems.filter(({ kind }) => load.kinds.includes(kind));
  const figures = new Map(its.map((system): [System, Figures[]] => [system, []]));
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

function publishLoads(section: string, kind: Kind): void {
  const its = results.filter(({ load }) => load.kinds.includes(kind));
  if (its.length === 0) return;
  publish(section, reportLoads(its));
  if (kind === 'upload' && !options.dry) writeFileSync(new URL('./results.svg', import.meta.url), drawLoads(its));
}

function publish(section: string, markdown: string): void {
  console.log(`\n${run}\n${markdown}`);
  if (!options.dry) writeSection(section, `${run}\n${markdown}`);
}

/** @throws for a name that there is not. */
function choose(names: readonly string[], asked: readonly string[]): readonly string[] {
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${names.join(', ')}`);
  return asked;
}
