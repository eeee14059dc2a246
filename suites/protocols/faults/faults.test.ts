/** Clients of tus over bad connections, and a server that is killed. `node suites/protocols/faults.ts` has many seeds. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { type SampleFile, writeSampleFile } from '../../faults/sample-file.ts';
import type { OwnServer } from '../../server-under-test.ts';
import { bringTusPython } from '../clients/python.ts';
import { type ClientName, runSeed } from './run.ts';
import { startKillableServer } from './server.ts';

const SIZE_BYTES = 12 * MIB;
const environment = bringTusPython();
const bin = 'bin' in environment ? environment.bin : '';
/** The server is killed in the first of each. */
const SEEDS: Readonly<Record<ClientName, readonly number[]>> = { 'tus-js-client': [1, 2], tuspy: [1, 2] };

const folder = mkdtempSync(join(tmpdir(), 'cryolift-tus-faults-'));
let server: OwnServer;
let sample: SampleFile;
before(async () => {
  server = await startKillableServer();
  sample = await writeSampleFile(folder, SIZE_BYTES);
});
after(async () => {
  await server.discard();
  rmSync(folder, { recursive: true });
});

for (const [client, seeds] of Object.entries(SEEDS) as [ClientName, readonly number[]][]) {
  const skip = client === 'tuspy' && 'missing' in environment ? environment.missing : false;
  for (const seed of seeds) {
    test(`${client}: the file arrives through the faults of seed ${seed}`, { skip }, async () => {
      const { wrong, log } = await runSeed(client, seed, { server, sample, bin });
      assert.deepEqual(wrong, [], log.join('\n'));
    });
  }
}
