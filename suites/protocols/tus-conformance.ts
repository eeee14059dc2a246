/**
 * tus 1.0, sentence by sentence, against Cryolift, tusd and `@tus/server`: `npm run protocols:tus [-- --server NAME]…`.
 * `--url URL [--header 'Name: value']…`: against any other server instead.
 */
import { parseArgs } from 'node:util';
import { type Column, printTable, runChecks } from './conformance.ts';
import { exchange } from './exchange.ts';
import { missingTusd } from './peers/tusd.ts';
import { TUS_CHECKS } from './tus/checks.ts';
import { type RunningTusServer, startCryoliftTus, startPeerTusd, startPeerTusNodeServer } from './tus/servers.ts';
import { readExtensions } from './tus/tus-server.ts';

const STARTS: Readonly<Record<string, () => Promise<RunningTusServer>>> = {
  cryolift: startCryoliftTus,
  tusd: startPeerTusd,
  '@tus/server': startPeerTusNodeServer,
};

const { values } = parseArgs({
  options: {
    server: { type: 'string', multiple: true, default: Object.keys(STARTS) },
    url: { type: 'string' },
    header: { type: 'string', multiple: true, default: [] },
  },
});

const columns: Column[] = [];
if (values.url !== undefined) await measure(toServer(values.url, values.header));
else {
  for (const name of values.server) {
    const missing = name === 'tusd' && missingTusd();
    if (missing) console.log(`not run: ${missing}`);
    else await measure(await start(name));
  }
}
console.log(printTable(columns));

async function start(name: string): Promise<RunningTusServer> {
  const act = STARTS[name];
  if (!act) throw new Error(`there is no ${name}; there are ${Object.keys(STARTS).join(', ')}`);
  return await act();
}

async function measure(server: RunningTusServer): Promise<void> {
  try {
    const results = await runChecks(TUS_CHECKS, server, await readExtensions(server));
    columns.push({ name: server.name, results });
  } finally {
    await server.stop();
  }
}

function toServer(url: string, lines: readonly string[]): RunningTusServer {
  const headers = Object.fromEntries(lines.map((line) => line.split(/: */, 2)));
  const read = async (uploadUrl: string) => (await exchange({ method: 'GET', url: uploadUrl, headers })).body;
  return { name: url, url, headers, expiring: null, read, stop: async () => {} };
}
