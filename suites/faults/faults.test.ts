/**
 * The real client and the real server with a bad wire between them. `node suites/faults/main.ts` does the same with a large
 * file and many more scripts.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { printFailure, printSummary } from './report.ts';
import { type Result, runOver } from './run.ts';
import { type SampleFile, writeSampleFile } from './sample-file.ts';
import { type Fault, KINDS, type Spot, writeScript } from './script.ts';

const STALL_MS = 1_000;
const WATCHDOG_MS = 60_000;
const SEEDS = Array.from({ length: 12 }, (_, nth) => nth + 1);
const SEEDED_BYTES = 32 * MIB;

let folder: string;
let server: OwnServer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-faults-'));
  server = await startServer({ CRYOLIFT_LOG_LEVEL: 'silent' });
});

after(async () => {
  await server.discard();
  await rm(folder, { recursive: true });
});

async function run(faults: readonly Fault[], sub: string, sample: SampleFile): Promise<Result> {
  return await runOver(faults, sub, {
    server,
    sample,
    partSizeBytes: MIB,
    stallMs: STALL_MS,
    watchdogMs: WATCHDOG_MS,
  });
}

suite('each fault by itself', { concurrency: 4 }, () => {
  const PART_BYTES = MIB;
  /** Init, one part and complete, all on the first connection: what each meets is certain. */
  let onePart: SampleFile;
  let parts: SampleFile;
  const inPart: Spot = { side: 'up', piece: 'body', at: 300_000 };

  before(async () => {
    onePart = await writeSampleFile(await mkdtemp(join(folder, 'one-')), PART_BYTES);
    parts = await writeSampleFile(await mkdtemp(join(folder, 'parts-')), 6 * PART_BYTES);
  });

  /** The file is there, by itself; the fault came to pass. */
  async function survive(fault: Fault, sample: SampleFile): Promise<Result> {
    const result = await run([fault], JSON.stringify(fault), sample);
    assert.deepEqual(result.wrong, [], result.log.join('\n'));
    assert.deepEqual(result.errors, []);
    assert.deepEqual(result.met, [fault]);
    return result;
  }

  for (const end of ['rst', 'fin'] as const) {
    test(`faults: a part cut off (${end}) is sent again, and no other`, async () => {
      const result = await survive({ kind: 'cut', spot: inPart, end }, parts);
      assert.ok(result.retries > 0);
      assert.ok(result.wasteBytes > 0 && result.wasteBytes <= PART_BYTES, `${result.wasteBytes}`);
    });
    test(`faults: an answer cut off (${end}) is asked for`, async () => {
      const result = await survive({ kind: 'truncate', spot: { side: 'down', piece: 'body', at: 700 }, end }, onePart);
      assert.ok(result.retries > 0);
      assert.equal(result.wasteBytes, 0);
    });
    for (const [answer, call] of ['init', 'part', 'complete'].entries()) {
      test(`faults: ${call} was done, its answer lost (${end}): no byte is sent again`, async () => {
        const result = await survive({ kind: 'drop-reply', answer, end }, onePart);
        assert.ok(result.retries > 0);
        assert.equal(result.wasteBytes, 0);
      });
    }
  }

  test('faults: a connection that is dead is given up', async () => {
    const result = await survive({ kind: 'stall', spot: inPart, forMs: null }, parts);
    assert.ok(result.retries > 0);
  });

  test('faults: a part that goes on after it was given up does no harm', async () => {
    // Above the time that the client waits for an answer once the system has taken the whole part.
    const result = await survive({ kind: 'stall', spot: inPart, forMs: 6 * STALL_MS }, onePart);
    assert.ok(result.retries > 0);
  });

  test('faults: a connection that stands still for a moment is waited for', async () => {
    const result = await survive({ kind: 'stall', spot: inPart, forMs: STALL_MS / 5 }, parts);
    assert.equal(result.wasteBytes, 0);
  });

  test('faults: a slow connection is a good one', async () => {
    for (const fault of [{ kind: 'delay', ms: 10 } as const, { kind: 'throttle', bytesPerSecond: 4 * MIB } as const]) {
      const result = await survive(fault, parts);
      assert.equal(result.wasteBytes, 0);
    }
  });

  test('faults: a turned bit in a part is noticed by the server, and the part sent again', async () => {
    const result = await survive({ kind: 'flip', spot: inPart, bit: 3 }, parts);
    assert.equal(result.wasteBytes, PART_BYTES);
  });

  test('faults: a turned bit in the token of a request costs one renewal', async () => {
    await survive({ kind: 'flip', spot: { side: 'up', piece: 'head', at: 'Bearer ' }, bit: 1 }, onePart);
  });

  const meant: [string, Spot, number][] = [
    ['the form of an answer', { side: 'down', piece: 'body', at: 0 }, 5],
    ['the id of an upload', { side: 'down', piece: 'body', at: '"upload_id":"' }, 0],
    ['the length of a request', { side: 'up', piece: 'head', at: 'content-length: ' }, 0],
    ['the length of an answer', { side: 'down', piece: 'head', at: 'content-length: ' }, 0],
    ['the status of an answer', { side: 'down', piece: 'head', at: 'HTTP/1.1 ' }, 0],
  ];
  for (const [what, spot, bit] of meant) {
    test(`faults: a turned bit in ${what} ends in the right file, at the latest with a re-run`, async () => {
      const fault: Fault = { kind: 'flip', spot, bit };
      const result = await run([fault], what, parts);
      assert.deepEqual(result.wrong, [], result.log.join('\n'));
      assert.deepEqual(result.met, [fault]);
    });
  }

  test('faults: nobody listens for a while', async () => {
    const result = await survive({ kind: 'refuse', forMs: 700 }, onePart);
    assert.ok(result.retries > 0);
    assert.equal(result.wasteBytes, 0);
  });
});

suite('seeded scripts', { concurrency: 4 }, () => {
  const results: Result[] = [];
  let sample: SampleFile;

  before(async () => {
    sample = await writeSampleFile(folder, SEEDED_BYTES);
  });

  after(() => console.log(printSummary(results)));

  for (const seed of SEEDS) {
    test(`seed ${seed}: the right file, or a clear error that a re-run cures`, async () => {
      const result = await run(writeScript(seed, { ...sample, stallMs: STALL_MS }), `seed-${seed}`, sample);
      results.push(result);
      assert.deepEqual(result.wrong, [], printFailure(seed, result));
    });
  }

  test('faults: a seed always writes the same script', () => {
    const terms = { sizeBytes: SEEDED_BYTES, stallMs: STALL_MS };
    assert.deepEqual(writeScript(7, terms), writeScript(7, terms));
    assert.notDeepEqual(writeScript(7, terms), writeScript(8, terms));
    const kinds = SEEDS.flatMap((seed) => writeScript(seed, terms)).map(({ kind }) => kind);
    assert.deepEqual(new Set(kinds), new Set(KINDS));
  });
});
