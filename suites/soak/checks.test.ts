/** The checks of a soak can fail: each is shown something that is wrong. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { callAs } from '../contract/wire.ts';
import { seedRandom } from '../faults/random.ts';
import { Ledger } from '../reliability/ledger.ts';
import { startServer } from '../server-under-test.ts';
import { openSqlite, TABLES } from './database.ts';
import { Disturbances } from './disturbances.ts';
import { evaluate, type Point } from './flat.ts';
import { findLeft } from './left.ts';
import type { Place } from './place.ts';
import { evaluateAll } from './quantities.ts';
import type { SoakResult } from './result.ts';
import { listFiles, type Sample } from './samples.ts';
import { runUntilDone, type Scene } from './scene.ts';
import { newTally } from './tally.ts';

const MIB = 1024 * 1024;
const BOUND = { absolute: 10, share: 0.05 };

function makePoints(valueAt: (nth: number) => number): Point[] {
  const random = seedRandom(1);
  return Array.from({ length: 200 }, (_, nth) => [nth * 10, valueAt(nth) + random.whole(-8, 8)]);
}

test('flat: noise and spikes are flat; a slow growth, also one that bends, is not', () => {
  const results = (valueAt: (nth: number) => number) => evaluate(makePoints(valueAt), BOUND).result;
  assert.equal(
    results(() => 100),
    'flat',
  );
  assert.equal(
    results((nth) => (nth % 40 < 3 ? 1000 : 100)),
    'flat',
  );
  assert.equal(
    results((nth) => 200 - nth),
    'flat',
  );
  assert.equal(
    results((nth) => 100 + nth * 0.15),
    'grows',
  );
  assert.equal(
    results((nth) => 100 + Math.max(0, nth - 80) * 0.5),
    'grows',
  );
  assert.equal(evaluate(makePoints(() => 100).slice(0, 20), BOUND).result, 'unknown');
});

test('flat: each quantity is evaluated in the time of the last process, after its warm-up', () => {
  const steady: Sample = {
    at: 0,
    process: {
      pid: 2,
      rssBytes: 200 * MIB,
      heapBytes: 40 * MIB,
      externalBytes: 8 * MIB,
      descriptors: 60,
      threads: 15,
      cpuSeconds: 1,
    },
    rows: Object.fromEntries(TABLES.map((table) => [table, 100])),
    databaseBytes: 4 * MIB,
    stored: { files: 10, bytes: 50 * MIB },
    temporaryFiles: 0,
    auditBytes: 0,
    checkedUploads: 0,
    checkedBytes: 0,
    badConnections: 0,
  };
  const growing = (change: (sample: Sample, nth: number) => Partial<Sample>, seconds = 7200) => {
    const samples = Array.from({ length: 500 }, (_, nth) => {
      const sample = { ...steady, at: (nth * seconds) / 500 };
      return { ...sample, ...change(sample, nth) };
    });
    const evaluated = evaluateAll({ samples, unbrokenFrom: seconds / 2, loadEnded: seconds } as unknown as SoakResult);
    const named = (result: string) =>
      evaluated.filter(({ verdict }) => verdict.result === result).map(({ name }) => name);
    return { grows: named('grows'), unknown: named('unknown'), all: evaluated.length };
  };
  assert.deepEqual(growing(() => ({})).grows, []);
  const process = (change: Partial<NonNullable<Sample['process']>>) => ({
    process: { ...(steady.process as NonNullable<Sample['process']>), ...change },
  });
  assert.deepEqual(growing((_, nth) => process({ rssBytes: (200 + nth / 5) * MIB })).grows, ['resident memory']);
  assert.deepEqual(growing((_, nth) => process({ heapBytes: (40 + nth / 25) * MIB })).grows, ['heap in use']);
  assert.deepEqual(growing((_, nth) => process({ descriptors: 60 + Math.floor(nth / 10) })).grows, ['descriptors']);
  assert.deepEqual(growing((_, nth) => process({ threads: 15 + Math.floor(nth / 50) })).grows, ['threads']);
  const parts = growing(({ rows }, nth) => ({ rows: { ...rows, parts: 100 + nth } }));
  assert.deepEqual(parts.grows, ['rows of parts']);
  assert.deepEqual(growing((_, nth) => ({ databaseBytes: (4 + nth / 100) * MIB })).grows, ['database']);
  assert.deepEqual(growing((_, nth) => ({ temporaryFiles: nth })).grows, ['temporary files']);
  // Before the last process, and in its warm-up, anything may grow.
  assert.deepEqual(growing((_, nth) => process({ rssBytes: Math.min(nth, 299) * MIB })).grows, []);
  const short = growing(() => ({}), 600);
  assert.equal(short.unknown.length, short.all);
});

test('left: rows, staged and published bytes, temporary files and open files are found', async (t) => {
  const server = await startServer({ CRYOLIFT_LOG_LEVEL: 'silent' });
  t.after(() => server.discard());
  const { dataDir } = server;
  const temporaryFolder = mkdtempSync(join(tmpdir(), 'cryolift-soak-left-'));
  t.after(() => rmSync(temporaryFolder, { recursive: true }));
  const place = {
    dataDir,
    listLeft: async () => ['staging', 'files', 'previews'].flatMap((name) => listFiles(join(dataDir, name))),
  } as unknown as Place;
  const database = openSqlite(join(dataDir, 'cryolift.sqlite'));
  const last = { place, database, server, temporaryFolder };
  assert.deepEqual(await findLeft(last), []);

  const call = callAs(server);
  const opened = await call('POST', '/uploads/init', { json: { filename: 'open.mrc', size: 100_000 } });
  const { upload_id } = opened.json<{ upload_id: string }>();
  // As its first part makes it.
  writeFileSync(join(dataDir, 'staging', upload_id), '');
  mkdirSync(join(dataDir, 'files', 'orphan'));
  writeFileSync(join(dataDir, 'files', 'orphan', 'name.mrc'), '');
  writeFileSync(join(temporaryFolder, 'forgotten'), '');
  await database.run("update owner_usage set files = 1; insert into owner_usage values ('nobody', 1, 1)");
  const left = (await findLeft(last)).join('\n');
  for (const wrong of [
    /^1 rows of uploads$/m,
    /^\d owners whose usage is not 0$/m,
    new RegExp(`in the storage, .*staging/${upload_id}$`, 'm'),
    /in the storage, .*orphan\/name\.mrc$/m,
    /a temporary file, .*forgotten$/m,
  ]) {
    assert.match(left, wrong);
  }
  // This process stands for a server that has forgotten to close one.
  const handle = await open(join(dataDir, 'staging', upload_id));
  t.after(() => handle.close());
  const found = await findLeft({ ...last, server: { ...server, pid: process.pid } as never });
  assert.match(found.join('\n'), new RegExp(`an open file, .*staging/${upload_id}$`, 'm'));
});

test('clients: an error that no fault explains is wrong; others are repeated', async () => {
  const [ledger, disturbances, tally] = [new Ledger(), new Disturbances(), newTally()];
  const scene = { ledger, disturbances, tally } as unknown as Scene;
  const plan = { owner: 'o', filename: 'f', sizeBytes: 0, partSizeBytes: 1, declares: 'never', by: 'tus' } as const;
  const entry = ledger.open(plan);
  const fails = async (again: number) => {
    if (again === 0) throw new Error('made to fail');
  };
  assert.equal(await runUntilDone({ scene, kind: 'tus' }, entry, fails), false);
  assert.match(ledger.faults.join(), /the client \(tus\) ended in run 0: made to fail/);
  ledger.faults.length = 0;
  disturbances.strike();
  assert.equal(await runUntilDone({ scene, kind: 'tus' }, entry, fails), true);
  assert.deepEqual([ledger.faults, tally.tus.repeated], [[], 1]);
});
