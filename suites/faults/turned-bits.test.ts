/** One bit of what a request or an answer means, turned where neither TLS nor a digest covers it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { runOver } from './run.ts';
import { type SampleFile, writeSampleFile } from './sample-file.ts';
import type { Fault, Spot } from './script.ts';

let folder: string;
let server: OwnServer;
let sample: SampleFile;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-faults-'));
  server = await startServer({ CRYOLIFT_LOG_LEVEL: 'silent' });
  sample = await writeSampleFile(folder, 5 * 64 * 1024);
});

after(async () => {
  await server.discard();
  await rm(folder, { recursive: true });
});

const MEANT: readonly [string, Spot, number][] = [
  ['the size of the file, at init', { side: 'up', piece: 'body', at: '"size":' }, 2],
  ['the name of the file, at init', { side: 'up', piece: 'body', at: '"filename":"' }, 0],
  ['the number of a part', { side: 'up', piece: 'head', at: '/part/' }, 0],
  ['the number of a part, two on', { side: 'up', piece: 'head', at: '/part/' }, 1],
  ['the number of a part, four on', { side: 'up', piece: 'head', at: '/part/' }, 2],
  ['the name of a field of the upload', { side: 'down', piece: 'body', at: '"missing_' }, 1],
  ['the parts that are missing', { side: 'down', piece: 'body', at: '"missing_parts":[[' }, 2],
];

for (const [what, spot, bit] of MEANT) {
  test(`turned bits: a turned bit in ${what} ends in the right file, at the latest with a re-run`, async () => {
    const fault: Fault = { kind: 'flip', spot, bit };
    const setting = { server, sample, partSizeBytes: MIB / 16, stallMs: 1_000, watchdogMs: 30_000 };
    const result = await runOver([fault], what, setting);
    assert.deepEqual(result.wrong, [], `${result.errors.join('; ')}\n${result.log.join('\n')}`);
    assert.deepEqual(result.met, [fault]);
  });
}
