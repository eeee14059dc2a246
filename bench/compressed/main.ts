/**
 * What compressed parts gain over a link of 100 Mbit/s, and that they cost nothing where they cannot gain: the SDK with
 * zstd and without, in turns, each to a fresh server. Needs Linux, root and python3 for the link (`../wide-area/link.py`).
 *
 *   npm run bench:compressed -- [--size MiB] [--rounds N] [--only link|loopback] [--folder PATH]
 *
 * `--size`: of the files that go over the link (256); on loopback they are four times as large.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { MIB } from '@cryolift/protocol/plan';
import { CLI, SETTINGS, signToken, startServer } from '../cryolift.ts';
import { makePlace } from '../place.ts';
import { primeMemory } from '../prime.ts';
import { median } from '../report/quantile.ts';
import { describeRun, spread, table } from '../report/report.ts';
import type { Outcome as Sent } from '../wide-area/contestants.ts';
import { Link, SERVER_ADDRESS } from '../wide-area/link.ts';
import type { Path } from '../wide-area/paths.ts';
import { FILES, writeFile } from './files.ts';

type Outcome = Required<Pick<Sent, 'seconds' | 'sentBytes'>>;

const CLIENT = new URL('../wide-area/cryolift-client.ts', import.meta.url).pathname;
const LINK: Path = {
  name: '100 Mbit/s',
  what: '100 Mbit/s, round trip 20 ms, no loss, 100 ms of buffer',
  delayMs: 10,
  lossPercent: 0,
  rateMbit: 100,
  bufferSeconds: 0.1,
};
const CODINGS = ['zstd', 'identity'] as const;
/** Of the file on loopback, over that on the link. */
const LOOPBACK_SIZE = 4;

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const rounds = Number(options.rounds);
const place = makePlace(options.folder);
const env = { CRYOLIFT_TOKEN: signToken(), PATH: process.env.PATH ?? '' };
console.log(describeRun(`node bench/compressed/main.ts ${process.argv.slice(2).join(' ')}`.trim()));
console.log(`${primeMemory()}\n`);

const rows: string[][] = [];
for (const where of ['link', 'loopback'] as const) {
  if (options.only !== undefined && options.only !== where) continue;
  for (const file of FILES) {
    const path = join(place, 'sent.raw');
    const sizeMib = Number(options.size) * (where === 'link' ? 1 : LOOPBACK_SIZE);
    writeFile(path, file, sizeMib);
    const outcomes: Record<(typeof CODINGS)[number], Outcome[]> = { zstd: [], identity: [] };
    for (let round = 0; round < rounds; round++) {
      for (const coding of CODINGS) {
        const args = (url: string) => [CLIENT, path, url, join(place, 'measured', 'client'), coding];
        const outcome = where === 'link' ? await overLink(args, round) : await onLoopback(args);
        outcomes[coding].push(outcome);
        console.error(`${where} ${file.name} ${round + 1}/${rounds} ${coding}: ${outcome.seconds.toFixed(2)} s`);
      }
    }
    rows.push(
      describe(`${file.name}, ${sizeMib} MiB, ${where === 'link' ? LINK.what : 'loopback'}`, sizeMib, outcomes),
    );
  }
}
console.log(table(['', 'zstd s', 'as it is s', 'time ÷ uncompressed', 'sent ÷ file'], rows));

async function overLink(args: (url: string) => string[], seed: number): Promise<Outcome> {
  const link = await Link.open(LINK, seed + 1);
  try {
    return await inFolder(async (dataDir) => {
      // It would not listen there without TLS otherwise.
      const settings = { ...SETTINGS, CRYOLIFT_TRUST_PROXY: 'true' };
      const server = link.serve(
        [CLI, 'serve', '--host', SERVER_ADDRESS, '--port', '0', '--data-dir', dataDir],
        settings,
      );
      return await link.run<Outcome>(args(await server.readUrl()), env).result.finally(() => server.stop());
    });
  } finally {
    await link.close();
  }
}

async function onLoopback(args: (url: string) => string[]): Promise<Outcome> {
  return await inFolder(async (dataDir) => {
    const { process: server, url } = await startServer(dataDir);
    const { stdout } = await promisify(execFile)(process.execPath, args(url), { env }).finally(() => server.stop());
    return JSON.parse(stdout) as Outcome;
  });
}

async function inFolder(measure: (dataDir: string) => Promise<Outcome>): Promise<Outcome> {
  const folder = join(place, 'measured');
  mkdirSync(folder);
  try {
    return await measure(join(folder, 'data'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function describe(what: string, sizeMib: number, { zstd, identity }: Record<string, Outcome[]>): string[] {
  const seconds = (all: readonly Outcome[] = []) => all.map((each) => each.seconds);
  const share = median((zstd ?? []).map(({ sentBytes }) => sentBytes / (sizeMib * MIB)));
  const ratio = median(seconds(zstd)) / median(seconds(identity));
  return [what, spread(seconds(zstd)), spread(seconds(identity)), ratio.toFixed(2), share.toFixed(2)];
}
