/** `cryolift upload --skip-known`. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, UploadLink } from '@cryolift/protocol/messages';
import { parseLines, TestBench, Wire } from '../testing/test-process.ts';

/** Bytes besides those of files: heads, records and connections. */
const TALK_BYTES = 100 * 1024;
const FILE_BYTES = 300 * 1024;

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

function makeMovie(): Buffer {
  const voxels = randomBytes(FILE_BYTES);
  return Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
}

async function makeFolder(name: string, files: Readonly<Record<string, Buffer>>): Promise<string> {
  const folder = bench.path(name);
  await mkdir(folder, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(folder, file), bytes);
  return folder;
}

async function listPaths(): Promise<Map<string, FileRecord>> {
  const { stdout } = await bench.run(['ls', '-r', '--json']);
  const files = parseLines<FileRecord & { kind: string }>(stdout).filter(({ kind }) => kind === 'file');
  return new Map(files.map((file) => [file.metadata.path ?? file.filename, file]));
}

test('skip known: what is there appears in the folder and in the dataset, and only the rest is sent', async (t) => {
  const [gain, one, two] = [makeMovie(), makeMovie(), makeMovie()];
  const first = await makeFolder('first', { 'gain.mrc': gain, 'a.mrc': one });
  assert.equal((await bench.run(['upload', first])).code, 0);
  const second = await makeFolder('second', { 'gain.mrc': gain, 'b.mrc': one, 'c.mrc': two });
  const wire = await Wire.to(bench.url);
  t.after(() => wire.close());
  const args = ['upload', '--skip-known', '--dataset', 'session 2', '--json', second];
  const run = await bench.run(args, { CRYOLIFT_SERVER: wire.url });
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const sent = wire.carriedBytes;
  assert.ok(sent > FILE_BYTES && sent < FILE_BYTES + TALK_BYTES, `${sent} bytes were sent`);
  const lines = parseLines<{ event: string; reason?: string; filename?: string; done?: number; skipped?: number }>(
    run.stdout,
  );
  const skipped = lines.filter(({ event, reason }) => event === 'skipped' && reason === 'known');
  assert.deepEqual(skipped.map(({ filename }) => filename).sort(), ['b.mrc', 'gain.mrc']);
  const summary = lines.find(({ event }) => event === 'summary');
  assert.deepEqual([summary?.done, summary?.skipped], [1, 2]);
  const files = await listPaths();
  const made = ['second/gain.mrc', 'second/b.mrc', 'second/c.mrc'].map((path) => files.get(path));
  assert.equal(new Set(made.map((file) => file?.dataset_id)).size, 1);
  assert.deepEqual(
    made.map((file) => [file?.sha256, file?.copied_from]),
    [
      [createHash('sha256').update(gain).digest('hex'), files.get('first/gain.mrc')?.file_id],
      [createHash('sha256').update(one).digest('hex'), files.get('first/a.mrc')?.file_id],
      [createHash('sha256').update(two).digest('hex'), undefined],
    ],
  );
  // Again: the journal knows them. Without the journal, they are where they are to be.
  const again = await bench.run(args);
  assert.match(again.stdout, /"skipped":3/);
  await rm(bench.path('.local/state'), { recursive: true, force: true });
  const lost = await bench.run(['upload', '--skip-known', '--dataset', 'session 2', second]);
  assert.equal(lost.code, 0, lost.stderr);
  assert.match(lost.stderr, /0 of 3 files done, 3 were already there/);
  assert.equal((await listPaths()).size, files.size);
});

test('skip known: text says which file was not sent', async () => {
  const bytes = makeMovie();
  const path = await makeFolder('single', { 'x.mrc': bytes, 'y.mrc': bytes });
  assert.equal((await bench.run(['upload', join(path, 'x.mrc')])).code, 0);
  const run = await bench.run(['upload', '--skip-known', join(path, 'y.mrc')]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /^y\.mrc {2}\S+ {2}not sent: the server had its 301\.0 KiB$/m);
});

test('skip known: a link may not ask, so that all is sent, and a note says so', async () => {
  const bytes = makeMovie();
  const path = await makeFolder('by-link', { 'x.mrc': bytes });
  assert.equal((await bench.run(['upload', path])).code, 0);
  const made = await bench.run(['link', '--json']);
  const [link] = parseLines<UploadLink>(made.stdout);
  const other = await makeFolder('by-link-2', { 'x.mrc': bytes });
  const run = await bench.run(['upload', '--skip-known', '--link', link?.url ?? '', other]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /--skip-known: this token may not read file records; all files are sent/);
});
