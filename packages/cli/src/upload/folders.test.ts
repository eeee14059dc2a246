import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { type Ended, needsCoreutils, parseLines, TestBench, Wire } from '../testing/test-process.ts';

const PART_BYTES = 64 * 1024;
const SMALL_PARTS = ['--part-size', '64KiB'];
/** Bytes of requests besides the parts. */
const TALK_BYTES = 400 * 1024;

type Event = Record<string, unknown> & Partial<FileRecord> & { event: string; path: string };

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** Correct MRC files, by their paths in `folder`. @returns their digests. */
async function makeTree(folder: string, files: Readonly<Record<string, Buffer>>): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const [name, voxels] of Object.entries(files)) {
    const bytes = Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
    await mkdir(dirname(bench.path(`${folder}/${name}`)), { recursive: true });
    await writeFile(bench.path(`${folder}/${name}`), bytes);
    digests.set(name, createHash('sha256').update(bytes).digest('hex'));
  }
  return digests;
}

function eventsOf({ stdout }: Ended, name: string): Event[] {
  return parseLines<Event>(stdout).filter(({ event }) => event === name);
}

function summaryOf(ended: Ended): Event {
  const last = parseLines<Event>(ended.stdout).at(-1);
  assert.equal(last?.event, 'summary', ended.stdout);
  return last as Event;
}

test('upload -r: keeps the paths of a tree; files of the same fingerprint are separate uploads', async () => {
  const [a, b] = [randomBytes(5 * PART_BYTES), randomBytes(5 * PART_BYTES)];
  // The same name, size, time, first and last bytes.
  a.copy(b, 0, 0, 2 * PART_BYTES);
  a.copy(b, 3 * PART_BYTES, 3 * PART_BYTES);
  const digests = await makeTree('tree', { 'a/x.mrc': a, 'b/x.mrc': b, 'c/d/e.mrc': randomBytes(100) });
  for (const name of digests.keys()) await utimes(bench.path(`tree/${name}`), 1e9, 1e9);
  const ended = await bench.run(['upload', '-r', '--json', ...SMALL_PARTS, '--meta', 'grid=G7', 'tree']);
  assert.equal(ended.code, 0, ended.stdout);
  const done = eventsOf(ended, 'done');
  const expected = new Map([...digests].map(([name, sha256]) => [`tree/${name}`, sha256]));
  assert.deepEqual(new Map(done.map(({ metadata, sha256 }) => [metadata?.path, sha256])), expected);
  assert.ok(done.every(({ metadata }) => metadata?.grid === 'G7'));
  assert.equal(new Set(done.map(({ file_id }) => file_id)).size, 3);
  const { files, done: count, bytes, sent_bytes, retries } = summaryOf(ended);
  const size = done.reduce((sum, file) => sum + (file.size ?? 0), 0);
  assert.deepEqual([files, count, bytes, sent_bytes, retries], [3, 3, size, size, 0]);
});

test('upload -r: a second run sends files that are new, changed or deleted on the server', async (t) => {
  const names = ['kept.mrc', 'changed.mrc', 'deleted.mrc'];
  await makeTree('again', Object.fromEntries(names.map((name) => [name, randomBytes(100)])));
  const first = await bench.run(['upload', '--json', 'again']);
  const deleted = eventsOf(first, 'done').find(({ filename }) => filename === 'deleted.mrc');
  await bench.run(['rm', deleted?.file_id ?? '']);
  await makeTree('again', { 'changed.mrc': randomBytes(100), 'new.mrc': randomBytes(100) });

  const second = await bench.run(['upload', '--json', '--checksums', 'again.sums', 'again']);
  assert.equal(second.code, 0, second.stdout);
  assert.deepEqual(
    eventsOf(second, 'done')
      .map(({ filename }) => filename)
      .sort(),
    ['changed.mrc', 'deleted.mrc', 'new.mrc'],
  );
  const [skipped] = eventsOf(second, 'skipped');
  assert.deepEqual([skipped?.path, skipped?.reason], ['again/kept.mrc', 'uploaded']);
  const { skipped: skippedCount, resumed_bytes } = summaryOf(second);
  assert.deepEqual([skippedCount, resumed_bytes], [1, (await stat(bench.path('again/kept.mrc'))).size]);
  await t.test('sha256sum accepts the list, also of files that were uploaded before', needsCoreutils, () => {
    const checked = execFileSync('sha256sum', ['-c', '--strict', '../again.sums'], {
      cwd: bench.path('again'),
      encoding: 'utf8',
    });
    assert.equal(checked.match(/: OK$/gm)?.length, 4);
  });

  const third = await bench.run(['upload', '--json', '--restart', 'again']);
  assert.equal(eventsOf(third, 'done').length, 4);
});

test('upload -r: Ctrl-C keeps the uploads of all files; the next run sends only the missing parts', async (t) => {
  const names = Array.from({ length: 6 }, (_, at) => `${at}/movie${at}.mrc`);
  const digests = await makeTree(
    'night',
    Object.fromEntries(names.map((name) => [name, randomBytes(32 * PART_BYTES)])),
  );
  const allBytes = 6 * 32 * PART_BYTES;
  const wire = await Wire.to(bench.url);
  t.after(() => wire.close());
  const args = ['upload', '-r', '--json', ...SMALL_PARTS, '--files', '3', 'night'];
  const held = wire.holdAfter(allBytes / 2);
  const running = bench.begin(args, { CRYOLIFT_SERVER: wire.url });
  await held;
  running.child.kill('SIGINT');
  const interrupted = await running.ended;
  assert.equal(interrupted.code, 130);
  assert.deepEqual(
    eventsOf(interrupted, 'error').map(({ code }) => code),
    ['interrupted'],
  );
  assert.ok(Number(summaryOf(interrupted).open) >= 3);
  wire.reset();

  const uploads = parseLines<UploadRecord>((await bench.run(['ls', '--json'])).stdout);
  const open = uploads.filter(({ filename, status }) => status === 'uploading' && filename.startsWith('movie'));
  assert.ok(open.length >= 2, JSON.stringify(open));
  const resumed = await bench.run(args, { CRYOLIFT_SERVER: wire.url });
  assert.equal(resumed.code, 0, resumed.stdout);
  const { done, skipped, resumed_bytes } = summaryOf(resumed);
  assert.equal(Number(done) + Number(skipped), 6);
  assert.ok(Number(resumed_bytes) > allBytes / 4);
  assert.ok(
    wire.carriedBytes < allBytes - Number(resumed_bytes) + TALK_BYTES,
    `${wire.carriedBytes} bytes were carried`,
  );
  const sent = [...eventsOf(interrupted, 'done'), ...eventsOf(resumed, 'done')];
  const expected = new Map([...digests].map(([name, sha256]) => [`night/${name}`, sha256]));
  assert.deepEqual(new Map(sent.map(({ metadata, sha256 }) => [metadata?.path, sha256])), expected);
});

test('upload -r: a file that fails does not stop the others; a refused token does', async () => {
  await makeTree('mixed', { 'a.mrc': randomBytes(100), 'c.mrc': randomBytes(100), 'd.mrc': randomBytes(100) });
  await writeFile(bench.path('mixed/b.mrc'), 'no MRC');
  const mixed = await bench.run(['upload', '--json', '--files', '1', 'mixed', 'nothing.mrc']);
  assert.equal(mixed.code, 4);
  const { done, failed, open } = summaryOf(mixed);
  assert.deepEqual([done, failed, open], [3, 2, 0]);
  assert.deepEqual(
    eventsOf(mixed, 'error').map(({ path, code }) => [path, code]),
    [
      ['mixed/b.mrc', 'invalid_mrc'],
      ['nothing.mrc', 'source_unreadable'],
    ],
  );
  const { stdout } = await bench.run(['token', '--json', '--scope', 'files:read']);
  const [{ token } = { token: '' }] = parseLines<{ token: string }>(stdout);
  const refused = await bench.run(['upload', '--json', '--restart', '--token', token, 'mixed']);
  assert.equal(refused.code, 3);
  assert.ok(eventsOf(refused, 'error').length <= 2, refused.stdout);
  assert.ok(Number(summaryOf(refused).open) >= 2);
});

test('upload: --bwlimit is kept', async () => {
  await makeTree('slow', { 'a.mrc': randomBytes(8 * PART_BYTES), 'b.mrc': randomBytes(8 * PART_BYTES) });
  const ended = await bench.run(['upload', '--json', '--bwlimit', '512KiB', 'slow']);
  assert.equal(ended.code, 0, ended.stdout);
  assert.ok(Number(summaryOf(ended).seconds) >= 1.7);
});

test('upload: a terminal shows bars, the total, and a line for each finished file', async () => {
  // Above 1 MiB: four smaller ones would take the place of one.
  const names = Array.from({ length: 5 }, (_, at) => `m${at}.mrc`);
  await makeTree('shown', Object.fromEntries(names.map((name) => [name, randomBytes(17 * PART_BYTES)])));
  const { stdout, code } = await bench.runOnTerminal(['upload', '--files', '2', '--bwlimit', '3MiB', 'shown']);
  assert.equal(code, 0, stdout);
  for (const name of names) assert.match(stdout, new RegExp(`${name}  \\S+  1\\.06 MiB in`));
  assert.match(stdout, /m0\.mrc +[█░]+ +\d+%/);
  const totals = [...stdout.matchAll(/(\d) of 5 files +[█░]+ +\d+%/g)].map(([, count]) => Number(count));
  assert.deepEqual(totals, [...totals].sort());
  assert.ok(totals.length > 5);
  // Each redraw has at most two bars.
  for (const picture of stdout.split(/\d of 5 files/)) assert.ok((picture.match(/[█░]{8,}/g) ?? []).length <= 3);
  assert.match(stdout, /5 of 5 files done; 5\.3\d MiB in/);
});
