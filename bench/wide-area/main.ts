/**
 * Goodput over a wide-area path with real TCP, side by side with `tus-js-client` and with what plain TCP gets.
 * Needs Linux, root and python3 (`link.py`); installs the peers.
 *
 *   npm run bench:wide-area -- [--only PATH] [--contestant NAME] [--seconds 90] [--rounds 1] [--trace] [--beside]
 *
 * --seconds: the file of each is as large as it will get there in about this time; plain TCP has a third of it.
 * --beside: how much one plain connection carries that begins together with each, in two thirds of the time.
 * --trace: how each upload of ours went, second by second.
 * Every measurement has a link, a server and a folder of its own. Prints Markdown.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MIB } from '@cryolift/protocol/plan';
import { installPeers } from '../peers.ts';
import { makePlace } from '../place.ts';
import { describeRun } from '../report/report.ts';
import { BESIDE, CONTESTANTS, type Contestant, type Outcome } from './contestants.ts';
import { Link, SERVER_ADDRESS } from './link.ts';
import { PATHS, type Path } from './paths.ts';
import { goodputMbit, type Measurement, reportPath } from './report.ts';
import type { RoundTrips } from './round-trips.ts';

const ROUND_TRIPS = new URL('./round-trips.ts', import.meta.url).pathname;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    contestant: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '90' },
    rounds: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    beside: { type: 'boolean', default: false },
  },
});
const [seconds, rounds] = [Number(options.seconds), Number(options.rounds)];
const paths = choose(PATHS, options.only);
const contestants = choose(CONTESTANTS, options.contestant);
const place = makePlace(tmpdir());

installPeers();
console.log(describeRun(`node bench/wide-area/main.ts ${process.argv.slice(2).join(' ')}`.trim()));
for (const path of paths) console.log(reportPath(path, await measurePath(path)));

/** In each round everybody in turn, another one first each time; with the same packets lost by number. */
async function measurePath(path: Path): Promise<Map<Contestant, Measurement[]>> {
  const measured = new Map(contestants.map((contestant): [Contestant, Measurement[]] => [contestant, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const title = `${path.name} ${round + 1}/${rounds} ${contestant.name}`;
      const link = await Link.open(path, round + 1);
      try {
        const measurement = await measure(path, contestant, link);
        measured.get(contestant)?.push(measurement);
        console.error(`${title}: ${goodputMbit(measurement).toFixed(2)} Mbit/s`);
        if (options.trace) printTrace(measurement.outcome);
      } catch (error) {
        // The others are worth having; the table shows what is missing.
        console.error(`${title}:`, error);
        process.exitCode = 1;
      }
    }
  }
  return measured;
}

/** With a fresh server on a fresh folder; both are gone afterwards, and the link is closed. */
async function measure(path: Path, contestant: Contestant, link: Link): Promise<Measurement> {
  const folder = join(place, 'measured');
  mkdirSync(folder);
  try {
    const expectedMbit = contestant.expectedMbit?.[path.name];
    const load = expectedMbit
      ? { path: writeFile(Math.ceil((expectedMbit * seconds * 1e6) / 8 / MIB)), seconds }
      : { path: '', seconds: options.beside ? (seconds * 2) / 3 : seconds / 3 };
    const server = contestant.startServer(link, folder);
    const url = await server.readUrl();
    const watch = link.run<RoundTrips>([ROUND_TRIPS, SERVER_ADDRESS]);
    const beside = options.beside ? sendBeside(link, folder) : null;
    const outcome = await contestant.send(link, folder, url, load);
    watch.stop();
    const roundTrips = await watch.result;
    await server.stop();
    return { outcome, beside: await beside, roundTrips, traffic: await link.close() };
  } finally {
    // Nothing writes there any more.
    await link.close();
    rmSync(folder, { recursive: true });
  }
}

/** One plain connection, to a server of its own. */
async function sendBeside(link: Link, folder: string): Promise<Outcome> {
  const server = BESIDE.startServer(link, folder);
  const outcome = await BESIDE.send(link, folder, await server.readUrl(), { path: '', seconds: (seconds * 2) / 3 });
  await server.stop();
  return outcome;
}

/** @returns the path of a file that nothing can compress. */
function writeFile(sizeMib: number): string {
  const path = join(place, 'sent.raw');
  writeFileSync(path, randomBytes(sizeMib * MIB));
  return path;
}

function printTrace({ samples = [] }: Outcome): void {
  for (const { seconds, underWay, sentBytes, storedBytes } of samples) {
    const [sent, stored] = [sentBytes / MIB, storedBytes / MIB].map((mib) => mib.toFixed(1));
    console.error(`  ${seconds.toFixed(0)} s: ${underWay} parts under way, ${sent} MiB sent, ${stored} MiB stored`);
  }
}

/** @throws for a name that there is not. */
function choose<Named extends { name: string }>(all: readonly Named[], names: readonly string[] | undefined): Named[] {
  const unknown = names?.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined)
    throw new Error(`there is no ${unknown}; there are ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name }) => names?.includes(name) ?? true);
}
