/** Two files of one name, size and time, with the same first and last 64 KiB, that differ in 2 of 39 parts. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type Ended, parseLines, TestBench, Wire } from '../testing/test-process.ts';

const PART_BYTES = 64 * 1024;
const PARTS = 39;
const DIFFERENT = [11, 29];

type Event = Record<string, unknown> & Partial<FileRecord> & { event: string; path: string };

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_PART_SIZE: '64KiB' });
});

after(() => bench.stop());

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @returns their digests, by the path of the file. */
async function makeTwins(one: string, other: string): Promise<Map<string, string>> {
  const voxels = randomBytes(PARTS * PART_BYTES - 1024);
  const bytes = Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
  const digests = new Map<string, string>();
  for (const path of [one, other]) {
    await mkdir(dirname(bench.path(path)), { recursive: true });
    await writeFile(bench.path(path), bytes);
    await utimes(bench.path(path), 1_700_000_000.125, 1_700_000_000.125);
    digests.set(path, hash(bytes));
    for (const part of DIFFERENT) randomBytes(100).copy(bytes, part * PART_BYTES + 5);
  }
  return digests;
}

function eventsOf({ stdout }: Ended, name: string): Event[] {
  return parseLines<Event>(stdout).filter(({ event }) => event === name);
}

function doneOf(...runs: readonly Ended[]): Map<string, string | null | undefined> {
  return new Map(runs.flatMap((run) => eventsOf(run, 'done').map(({ path, sha256 }) => [path, sha256] as const)));
}

/** Runs a command until about half a file was sent, and kills it. */
async function runHalf(args: readonly string[]): Promise<void> {
  const wire = await Wire.to(bench.url);
  const held = wire.holdAfter((PARTS / 2) * PART_BYTES);
  // Resume records contain the URL of the server, so the next run finds the upload by the fingerprint.
  const running = bench.begin(args, { CRYOLIFT_SERVER: wire.url });
  await Promise.race([held, running.ended]);
  running.child.kill('SIGKILL');
  await running.ended;
  wire.close();
}

test('similar files: one command publishes both, each with its own digest', async () => {
  const digests = await makeTwins('a1/seg.mrc', 'a2/seg.mrc');
  const ended = await bench.run(['upload', '--json', ...digests.keys()]);
  assert.equal(ended.code, 0, ended.stdout);
  assert.deepEqual(doneOf(ended), digests);
  assert.equal(new Set(eventsOf(ended, 'done').map(({ file_id }) => file_id)).size, 2);
});

test('similar files: the second file does not use the interrupted upload of the first, and prints this', async () => {
  const digests = await makeTwins('b1/seg.mrc', 'b2/seg.mrc');
  await runHalf(['upload', '--json', 'b1/seg.mrc']);
  const second = await bench.run(['upload', '--json', 'b2/seg.mrc']);
  assert.equal(second.code, 0, second.stdout);
  const [other] = eventsOf(second, 'other_file');
  assert.equal(other?.path, 'b2/seg.mrc');
  const first = await bench.run(['upload', '--json', 'b1/seg.mrc']);
  assert.equal(first.code, 0, first.stdout);
  assert.deepEqual(doneOf(first, second), digests);
  const [done] = eventsOf(first, 'done');
  assert.equal(done?.upload_id, other?.upload_id);
  assert.ok(Number(done?.resumed_bytes) >= 5 * PART_BYTES, first.stdout);
  assert.equal(Number(done?.resumed_bytes) + Number(done?.sent_bytes), PARTS * PART_BYTES);
});

test('similar files: both are interrupted in one command and resumed by the next run', async () => {
  const digests = await makeTwins('c1/seg.mrc', 'c2/seg.mrc');
  await runHalf(['upload', '--json', ...digests.keys()]);
  const again = await bench.run(['upload', '--json', ...digests.keys()]);
  assert.equal(again.code, 0, again.stdout);
  assert.deepEqual(doneOf(again), digests);
});

test('similar files: watches publish and remove both after the first watch was killed', async () => {
  const digests = await makeTwins('d1/seg.mrc', 'd2/seg.mrc');
  const watch = (folder: string) => ['watch', '--json', '--once', '--settle', '1s', '--delete', folder];
  await runHalf(watch('d1'));
  const second = await bench.run(watch('d2'));
  assert.equal(second.code, 0, second.stdout);
  const first = await bench.run(watch('d1'));
  assert.equal(first.code, 0, first.stdout);
  assert.deepEqual(doneOf(first, second), digests);
  assert.deepEqual(
    [first, second].map((run) => eventsOf(run, 'disposed').map(({ kind }) => kind)),
    [['deleted'], ['deleted']],
  );
});
