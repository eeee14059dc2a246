/** `cryolift ls`, `download`, `rm`, `share`, `quota` and `open` as processes, with files in folders. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { parseLines, TestBench } from '../testing/test-process.ts';

const LONG = 'GridSquare_20161225_fractions_000123.mrc';
const FILES = ['b.mrc', 'grid1/a.mrc', 'grid1/b.mrc', `grid2/a-square-with-a-long-name/the-first-hole/${LONG}`];

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
  await makeFiles('session7', FILES);
  const { code, stderr } = await bench.run(['upload', '-r', bench.path('session7')]);
  assert.equal(code, 0, stderr);
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** MRC files of 2 kB that all differ. */
async function makeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = bench.path(`${folder}/${name}`);
    await mkdir(dirname(path), { recursive: true });
    const voxels = Buffer.alloc(1000, `${folder}/${name}`);
    await writeFile(path, Buffer.concat([buildHeader({ nx: 1000, ny: 1, nz: 1, mode: 0 }), voxels]));
  }
}

async function listPaths(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await bench.run(['ls', '-r', '--json', ...args]);
  assert.equal(code, 0, stderr);
  return parseLines<FileRecord>(stdout).map(({ metadata }) => metadata.path as string);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.length + 1))
    .sort();
}

test('ls: folders with their sums, then files, in 80 columns; names are never shortened', async () => {
  const top = await bench.run(['ls']);
  assert.match(
    top.stdout,
    /^PATH +SIZE +PUBLISHED +SHA-256\nsession7\/ +7\.91 KiB +\S.* +4 files\n\n4 files, 7\.91 KiB\n$/,
  );
  const { stdout } = await bench.run(['ls', 'session7']);
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(' ')[0]),
    ['PATH', 'grid1/', 'grid2/', 'b.mrc', '', '4', ''],
  );
  const deep = await bench.run(['ls', '-r']);
  assert.ok(deep.stdout.includes(`/${LONG} `));
  for (const line of deep.stdout.split('\n')) assert.ok(line.length <= 80, line);
  const long = await bench.run(['ls', 'session7/grid1', '--long']);
  assert.match(long.stdout, /^a\.mrc .* [0-9a-f]{64} +[0-9A-Z]{26}$/m);
  const none = await bench.run(['ls', 'nowhere']);
  assert.deepEqual([none.code, none.stdout], [0, 'no files\n']);
});

test('ls: sorts, filters by words in folders below, and prints a line of JSON for each', async () => {
  const sorted = await listPaths('--sort', 'filename');
  assert.deepEqual(
    sorted.map((path) => basename(path)),
    ['a.mrc', 'b.mrc', 'b.mrc', LONG],
  );
  assert.deepEqual(await listPaths('--filter', 'fractions 2016'), [`session7/${FILES[3]}`]);
  assert.deepEqual((await listPaths('session7/grid1')).toSorted(), ['session7/grid1/a.mrc', 'session7/grid1/b.mrc']);
  const { stdout } = await bench.run(['ls', 'session7', '--json']);
  assert.deepEqual(
    parseLines<{ kind: string; name?: string; filename?: string }>(stdout).map(
      ({ kind, name, filename }) => `${kind} ${name ?? filename}`,
    ),
    ['folder grid1', 'folder grid2', 'file b.mrc'],
  );
});

test('upload: paths have the name of the folder, or what --no-root and --prefix make of it', async () => {
  await makeFiles('other', ['x.mrc', 'deep/y.mrc']);
  const shallow = await bench.run(['upload', bench.path('other'), '--prefix', 'june/1']);
  assert.match(shallow.stderr, /other\/deep: omitting this folder; -r includes it\n/);
  assert.deepEqual(await listPaths('june'), ['june/1/other/x.mrc']);
  assert.equal((await bench.run(['upload', '-r', '--restart', '--no-root', bench.path('other')])).code, 0);
  assert.deepEqual(
    (await listPaths('--filter', 'mrc')).filter((path) => path.startsWith('deep')),
    ['deep/y.mrc'],
  );
  assert.equal((await bench.run(['rm', '-r', '--yes', 'june', 'deep', 'x.mrc'])).code, 0);
});

test('download -r: a folder is fetched with its name; a second run skips what is there, and reports what differs', async (t) => {
  const to = bench.path('to');
  t.after(() => rm(to, { recursive: true }));
  const { code, stderr } = await bench.run(['download', '-r', 'session7', '-o', to]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await filesIn(to), FILES.map((name) => `session7/${name}`).toSorted());
  for (const name of FILES) {
    assert.deepEqual(await readFile(`${to}/session7/${name}`), await readFile(bench.path(`session7/${name}`)));
  }
  await rm(`${to}/session7/b.mrc`);
  await writeFile(`${to}/session7/grid1/a.mrc`, 'mine');
  const again = await bench.run(['download', '-r', 'session7', '-o', to, '--json']);
  assert.equal(again.code, 4);
  const lines = parseLines<{ event: string; code?: string; done?: number; skipped?: number; failed?: number }>(
    again.stdout,
  );
  assert.deepEqual(
    lines.filter(({ event }) => event === 'error').map(({ code }) => code),
    ['file_exists'],
  );
  const { done, skipped, failed } = lines.at(-1) ?? {};
  assert.deepEqual({ done, skipped, failed }, { done: 1, skipped: 2, failed: 1 });
  assert.equal(await readFile(`${to}/session7/grid1/a.mrc`, 'utf8'), 'mine');
});

test('download: by path, by name and by glob', async (t) => {
  const to = bench.path('named');
  await mkdir(to);
  t.after(() => rm(to, { recursive: true }));
  const byPath = await bench.run(['download', 'session7/grid1/b.mrc', '-o', to]);
  assert.equal(byPath.code, 0, byPath.stderr);
  assert.deepEqual(await readFile(`${to}/b.mrc`), await readFile(bench.path('session7/grid1/b.mrc')));
  const byName = await bench.run(['download', 'a.mrc', '-o', to]);
  assert.equal(byName.code, 0, byName.stderr);
  const byGlob = await bench.run(['download', 'session7/*/*.mrc', '-o', `${to}/glob`]);
  assert.equal(byGlob.code, 0, byGlob.stderr);
  assert.deepEqual(await filesIn(to), ['a.mrc', 'b.mrc', 'glob/grid1/a.mrc', 'glob/grid1/b.mrc']);
});

test('download: a name of several files, one that nothing has, and two files for one path are refused', async () => {
  const several = await bench.run(['download', 'b.mrc']);
  assert.equal(several.code, 1);
  assert.match(
    several.stderr,
    /^cryolift: 2 files are named b\.mrc\n {2}Give the id of one of them: \w{26} \(.*\), \w{26} \(/,
  );
  const none = await bench.run(['download', 'c.mrc', '--json']);
  assert.deepEqual([none.code, parseLines(none.stdout).at(-1)?.code], [1, 'file_not_found']);
  const same = await bench.run(['download', 'b*.mrc', '--json']);
  assert.deepEqual([same.code, parseLines(same.stdout).at(-1)?.code], [1, 'same_path']);
  assert.equal((await bench.run(['download', 'session7/b.mrc', 'a.mrc', '-o', '-'])).code, 2);
});

test('rm: several files need an answer or --yes, and a terminal asks', async () => {
  await cp(bench.path('session7/grid1'), bench.path('gone'), { recursive: true });
  assert.equal((await bench.run(['upload', '-r', bench.path('gone')])).code, 0);
  const asked = await bench.run(['rm', '-r', 'gone']);
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /--yes is needed to delete 2 files/);
  const shown = await bench.runOnTerminal(['rm', '-r', 'gone'], 'n\n');
  assert.equal(shown.code, 1, shown.stdout);
  assert.match(
    shown.stdout,
    /gone\/a\.mrc[\s\S]*Delete these 2 files \(3\.95 KiB\) for good\? \[y\/N\][\s\S]*nothing was deleted/,
  );
  assert.equal((await listPaths('gone')).length, 2);
  const one = await bench.run(['rm', 'gone/a.mrc']);
  assert.match(one.stdout, /^deleted gone\/a\.mrc {2}\w{26}\n$/);
  const answered = await bench.runOnTerminal(['rm', 'gone/*', 'session7/b.mrc'], 'y\n');
  assert.equal(answered.code, 0, answered.stdout);
  assert.deepEqual(await listPaths('gone'), []);
});

test('share: anybody downloads with the URL; quota and open print what the caller has', async () => {
  const shared = await bench.run(['share', 'session7/grid1/a.mrc', '--expires', '1h']);
  const bytes = await (await fetch(shared.stdout.trim())).bytes();
  assert.deepEqual(Buffer.from(bytes), await readFile(bench.path('session7/grid1/a.mrc')));
  assert.equal((await bench.run(['share', 'a.mrc', '--expires', '8d'])).code, 2);
  const { stdout } = await bench.run(['quota', '--json']);
  const [quota] = parseLines<{ used_bytes: number; used_files: number; quota_bytes: null; types: string[] }>(stdout);
  const { length } = await listPaths();
  assert.deepEqual([quota?.used_files, quota?.used_bytes, quota?.quota_bytes], [length, length * 2024, null]);
  assert.ok(quota?.types.includes('mrc'));
  const link = new URL((await bench.run(['open'])).stdout.trim());
  const authorization = `Bearer ${link.hash.slice('#token='.length)}`;
  const caller = await fetch(new URL('/whoami', link), { headers: { authorization } });
  assert.equal(((await caller.json()) as { owner: string }).owner, 'local');
});
