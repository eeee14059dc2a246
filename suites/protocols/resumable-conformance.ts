/**
 * The IETF draft, sentence by sentence: Cryolift with interop versions 8, 6, 5 and 3, and tusd with 6, 5 and 3, which are
 * the newest that it has. `npm run protocols:resumable [-- --server NAME]…`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Column, printTable, runChecks } from './conformance.ts';
import { findCryolift } from './cryolift.ts';
import { exchange } from './exchange.ts';
import { missingTusd, startTusd } from './peers/tusd.ts';
import { RESUMABLE_CHECKS } from './resumable/checks.ts';
import { offersOf } from './resumable/resumable-check.ts';
import type { InteropVersion, ResumableServer } from './resumable/resumable-server.ts';

const { values } = parseArgs({
  options: { server: { type: 'string', multiple: true, default: ['cryolift', 'tusd'] } },
});

const columns: Column[] = [];
if (values.server.includes('cryolift')) {
  const { url, headers, read, stop } = await findCryolift();
  await measure([8, 6, 5, 3], {
    name: 'Cryolift',
    url: `${url}/resumable`,
    putUrl: `${url}/resumable/sent.raw`,
    headers,
    read,
  }).finally(stop);
}
if (values.server.includes('tusd')) {
  const missing = missingTusd();
  if (missing) console.log(`not run: ${missing}`);
  else await measureTusd();
}
console.log(printTable(columns));

async function measureTusd(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-tusd-'));
  const { url, stop } = await startTusd(folder);
  const read = async (uploadUrl: string) => (await exchange({ method: 'GET', url: uploadUrl })).body;
  try {
    await measure([6, 5, 3], { name: 'tusd', url, putUrl: null, headers: {}, read });
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(versions: readonly InteropVersion[], server: Omit<ResumableServer, 'version'>): Promise<void> {
  for (const version of versions) {
    const subject = { ...server, version };
    const results = await runChecks(RESUMABLE_CHECKS, subject, offersOf(subject));
    columns.push({ name: `${server.name} ${version}`, results });
  }
}
