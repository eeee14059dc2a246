/**
 * Clients of tus over bad connections, to a server that is killed now and then:
 * `node suites/protocols/faults.ts --seeds 100 [--first N] [--client tus-js-client|tuspy]… [--size MiB]`. Prints a line
 * per upload and a summary; exits with 1 when an upload went wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MIB } from '@cryolift/protocol/plan';
import { writeSampleFile } from '../faults/sample-file.ts';
import { bringTusPython } from './clients/python.ts';
import { type ClientName, type Result, runSeed } from './faults/run.ts';
import { startKillableServer } from './faults/server.ts';

const CLIENTS: readonly ClientName[] = ['tus-js-client', 'tuspy'];

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    client: { type: 'string', multiple: true, default: [...CLIENTS] },
    size: { type: 'string', default: '20' },
  },
});

const environment = bringTusPython();
const bin = 'bin' in environment ? environment.bin : null;
const folder = mkdtempSync(join(tmpdir(), 'cryolift-tus-faults-'));
const server = await startKillableServer();
const results: Result[] = [];
try {
  const sample = await writeSampleFile(folder, Number(values.size) * MIB);
  for (const client of CLIENTS.filter((name) => values.client.includes(name))) {
    if (client === 'tuspy' && bin === null) {
      console.log(`tuspy is not run: ${'missing' in environment ? environment.missing : ''}`);
      continue;
    }
    for (let nr = 0; nr < Number(values.seeds); nr++) {
      const result = await runSeed(client, Number(values.first) + nr, { server, sample, bin: bin ?? '' });
      results.push(result);
      console.log(printLine(result));
      if (result.wrong.length > 0) console.log(['', ...result.wrong, ...result.log].join('\n    '));
    }
  }
  for (const client of CLIENTS) printSummary(client);
} finally {
  await server.discard();
  rmSync(folder, { recursive: true });
}
if (results.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;

function printLine({ client, seed, wrong, errors, met, killed, sentBytes, requests, ms }: Result): string {
  const outcome = wrong.length > 0 ? 'WRONG' : errors.length > 0 ? 'right after an error' : 'right';
  const faults = [...new Set(met.map(({ kind }) => kind)), ...(killed ? ['kill -9'] : [])].join(' ');
  const sent = `${(sentBytes / MIB).toFixed(1)} MiB in ${requests} requests`;
  const what = `${client} ${seed}: ${outcome}, ${sent}, ${(ms / 1000).toFixed(1)} s; ${faults}`;
  return errors.length === 0 ? what : `${what}; ${errors.join('; ')}`;
}

function printSummary(client: ClientName): void {
  const own = results.filter((result) => result.client === client);
  if (own.length === 0) return;
  const wrong = own.filter((result) => result.wrong.length > 0).length;
  const cured = own.filter((result) => result.wrong.length === 0 && result.errors.length > 0).length;
  const met = own.flatMap((result) => result.met).length;
  const kills = own.filter(({ killed }) => killed).length;
  const sent = own.reduce((sum, { sentBytes }) => sum + sentBytes, 0) / MIB;
  console.log(
    `\n${client}: ${own.length} uploads, ${own.length - wrong - cured} right, ${cured} right when run again after a clear error, ${wrong} WRONG; ${met} faults and ${kills} kills met; ${sent.toFixed(0)} MiB sent for ${own.length * Number(values.size)} MiB`,
  );
}
