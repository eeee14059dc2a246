/** `cryolift watch` as its users run it: on a folder in which an instrument writes. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { parseLines, type Running, TestBench } from '../testing/test-process.ts';

const SETTLE_MS = 2000;
const WATCH = ['watch', '--json', '--settle', '2s'];

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_ACCEPT: 'mdoc' });
});

after(() => bench.stop());

function makeMrc(sizeBytes: number): Buffer {
  const voxels = randomBytes(sizeBytes - 1024);
  return Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function write(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

/** The server's files that came from below `folder`, as `path sha256`, in order. */
async function listFiles(label: string): Promise<string[]> {
  const { stdout } = await bench.run(['ls', '--json']);
  return parseLines<FileRecord & { kind: string }>(stdout)
    .filter(({ kind, metadata }) => kind === 'file' && metadata.label === label)
    .map(({ metadata, sha256 }) => `${metadata.path} ${sha256}`)
    .sort();
}

function begin(label: string, args: readonly string[] = []): Running {
  return bench.begin([...WATCH, '--meta', `label=${label}`, ...args, bench.path(label)]);
}

async function runOnce(label: string, args: readonly string[] = []) {
  const ended = await begin(label, ['--once', ...args]).ended;
  return { ...ended, events: parseLines(ended.stdout) };
}

/** Waits until `path` went up. */
async function until(running: Running, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  running.child.stdout?.on('data', (more: string) => {
    text += more;
    const lines = parseLines(text.slice(0, text.lastIndexOf('\n') + 1));
    if (lines.some((line) => line.event === 'done' && String(line.path).endsWith(path))) resolve();
  });
  running.ended.then(({ stderr }) => reject(new Error(`the watch ended: ${stderr}`)));
  await promise;
}

test('an instrument writes, renames and removes, the watch is killed: each finished file goes up once, none half', async () => {
  const folder = bench.path('session');
  const finished = new Map<string, Buffer>();
  let watch = begin('session');

  /** Written in pieces, for longer than files take to settle, under its own name or another one. */
  const grow = async (path: string, bytes: Buffer, working = path) => {
    await write(folder, working, bytes.subarray(0, 0));
    for (let at = 0; at < bytes.length; at += 15_000) {
      await appendFile(join(folder, working), bytes.subarray(at, at + 15_000));
      await sleep(SETTLE_MS / 8);
    }
    if (working !== path) await rename(join(folder, working), join(folder, path));
    finished.set(path, bytes);
  };
  const killer = async () => {
    for (const waitMs of [1700, 900, 2300]) {
      await sleep(waitMs);
      watch.child.kill('SIGKILL');
      await watch.ended;
      watch = begin('session');
    }
  };
  const early = makeMrc(90_000);
  // As long as it lies there, nobody means it.
  await write(folder, 'grid1/.hidden.mrc', makeMrc(5_000));
  await Promise.all([
    grow('grid1/a.mrc', makeMrc(200_000)),
    grow('grid1/b.mrc', makeMrc(150_000), 'grid1/b.mrc.tmp'),
    grow('grid2/c.mrc', makeMrc(120_000), 'grid2/.c.mrc'),
    grow('grid2/d.mrc', makeMrc(90_000), 'grid2/d.mrcdownloading'),
    // Is renamed once it has settled, and perhaps gone up.
    grow('grid3/e.mrc', early, 'grid3/early.mrc').then(() => sleep(SETTLE_MS)),
    // Is removed while it grows.
    (async () => {
      await write(folder, 'gone.mrc', makeMrc(50_000).subarray(0, 40_000));
      await sleep(SETTLE_MS / 2);
      await rm(join(folder, 'gone.mrc'));
    })(),
    killer(),
  ]);
  const last = makeMrc(60_000);
  const done = until(watch, 'last.mrc');
  await write(folder, 'last.mrc', last);
  finished.set('last.mrc', last);
  await done;
  watch.child.kill('SIGTERM');
  assert.equal((await watch.ended).code, 130);

  assert.equal((await runOnce('session')).code, 0);
  const expected = [...finished].map(([path, bytes]) => `${path} ${hash(bytes)}`).sort();
  assert.deepEqual(await listFiles('session'), expected);
});

test('a file that was renamed or touched nowhere since does not go up again; one with new content does', async () => {
  const folder = bench.path('renamed');
  const bytes = makeMrc(50_000);
  await write(folder, 'a.mrc', bytes);
  assert.equal((await runOnce('renamed')).code, 0);
  await rename(join(folder, 'a.mrc'), join(folder, 'b.mrc'));
  const second = await runOnce('renamed');
  assert.deepEqual(
    second.events.filter(({ event }) => event === 'skipped').map(({ path, was }) => [path, was]),
    [['b.mrc', 'a.mrc']],
  );
  const other = makeMrc(50_000);
  await write(folder, 'b.mrc', other);
  assert.equal((await runOnce('renamed')).code, 0);
  assert.deepEqual(await listFiles('renamed'), [`a.mrc ${hash(bytes)}`, `b.mrc ${hash(other)}`]);
});

test('a file in the place of another, alike but for its bytes, goes up; one that was put back does not', async () => {
  const folder = bench.path('alike');
  const [first, second] = [makeMrc(50_000), makeMrc(50_000)];
  const put = async (bytes: Buffer) => {
    await rm(join(folder, 'a.mrc'), { force: true });
    await write(folder, 'other', bytes);
    await rename(join(folder, 'other'), join(folder, 'a.mrc'));
    await utimes(join(folder, 'a.mrc'), 1_700_000_000, 1_700_000_000);
  };
  for (const bytes of [first, second, second]) {
    await put(bytes);
    assert.equal((await runOnce('alike')).code, 0);
  }
  assert.deepEqual(await listFiles('alike'), [first, second].map((bytes) => `a.mrc ${hash(bytes)}`).sort());
});

/** Loaded before the command: kills it as soon as it has taken a file out of its place, changed or not. */
const KILL_AFTER_TAKING = `
  import fs, { openSync, renameSync, writeSync } from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { rename } = fs.promises;
  fs.promises.rename = async (from, to) => {
    if (!to.includes('.gone')) return await rename(from, to);
    if (process.env.CHANGE) writeSync(openSync(from, 'r+'), 'x', 1024);
    renameSync(from, to);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  };
  syncBuiltinESMExports();
`;

test('watch: a file that a killed run had taken out of its place comes back, and is not forgotten', async () => {
  const preload = `data:text/javascript,${encodeURIComponent(KILL_AFTER_TAKING)}`;
  const env = { NODE_OPTIONS: `--import=${preload}` };
  for (const isChanged of [false, true]) {
    const label = `taken-${isChanged}`;
    const folder = bench.path(label);
    const name = `${'é'.repeat(120)}.mrc`;
    const bytes = makeMrc(50_000);
    await write(folder, join('sub', name), bytes);
    const args = [...WATCH, '--once', '--delete', '--meta', `label=${label}`, folder];
    const killed = await bench.run(args, { ...env, ...(isChanged ? { CHANGE: '1' } : {}) });
    assert.equal(killed.code, null, killed.stderr);
    const { code, events } = await runOnce(label, ['--delete']);
    assert.equal(code, 0);
    assert.deepEqual(
      events.filter(({ event }) => event === 'given_back').map(({ path }) => path),
      [join(folder, 'sub', name)],
    );
    assert.deepEqual(await readdir(join(folder, 'sub')), []);
    const changed = Buffer.from(bytes);
    changed.write('x', 1024);
    const all = isChanged ? [bytes, changed] : [bytes];
    assert.deepEqual(await listFiles(label), all.map((each) => `sub/${name} ${hash(each)}`).sort());
  }
});

test('a killed watch does not send again what was published without its knowing', async () => {
  const folder = bench.path('unknowing');
  const bytes = makeMrc(400_000);
  await write(folder, 'a.mrc', bytes);
  for (let round = 0; round < 6; round++) {
    const watch = begin('unknowing');
    const { promise: near, resolve } = Promise.withResolvers<void>();
    watch.child.stdout?.on('data', (text: string) => text.includes('"progress"') && resolve());
    watch.ended.then(() => resolve());
    await Promise.race([near, sleep(4 * SETTLE_MS)]);
    await sleep(round * 8);
    watch.child.kill('SIGKILL');
    await watch.ended;
  }
  assert.equal((await runOnce('unknowing')).code, 0);
  assert.deepEqual(await listFiles('unknowing'), [`a.mrc ${hash(bytes)}`]);
});

test('sidecars go first, and files move with their tree once the server has proven to have them', async () => {
  const folder = bench.path('moved');
  await write(folder, 'ts/series.mrc', makeMrc(300_000));
  await write(folder, 'ts/series.mrc.mdoc', Buffer.from('PixelSpacing = 1.06\n'));
  await utimes(join(folder, 'ts/series.mrc'), 1, 1);
  const { code, events } = await runOnce('moved', ['--files', '1', '--move-to', bench.path('done')]);
  assert.equal(code, 0);
  assert.deepEqual(
    events.filter(({ event }) => event === 'done').map(({ filename }) => filename),
    ['series.mrc.mdoc', 'series.mrc'],
  );
  assert.deepEqual((await readdir(join(folder, 'ts'))).length, 0);
  assert.deepEqual((await readdir(bench.path('done/ts'))).sort(), ['series.mrc', 'series.mrc.mdoc']);
});

test('a watch that was killed between the upload and the deletion deletes later, if the server has the file', async () => {
  const folder = bench.path('later');
  await write(folder, 'kept.mrc', makeMrc(50_000));
  await write(folder, 'deleted.mrc', makeMrc(50_000));
  const { events } = await runOnce('later');
  const kept = events.find(({ filename }) => filename === 'kept.mrc');
  assert.equal((await bench.run(['rm', String(kept?.file_id)])).code, 0);
  assert.equal((await runOnce('later', ['--delete'])).code, 0);
  assert.deepEqual(await readdir(folder), ['kept.mrc']);
});

test('what the server will not have is said once, and tried again only when it changes', async () => {
  const folder = bench.path('refused');
  const good = makeMrc(50_000);
  await write(folder, 'wrong.mrc', good.subarray(0, -100));
  await write(folder, 'notes.txt', Buffer.from('hello'));
  const first = await runOnce('refused');
  const errors = (events: typeof first.events) => events.filter(({ event }) => event === 'error').length;
  assert.equal(errors(first.events), 1);
  assert.equal(first.code, 4);
  assert.equal(errors((await runOnce('refused')).events), 0);
  await write(folder, 'wrong.mrc', good);
  assert.equal((await runOnce('refused')).code, 0);
  assert.deepEqual(await listFiles('refused'), [`wrong.mrc ${hash(good)}`]);
});

test('a folder is watched once, and a folder that goes away is waited for', async () => {
  const folder = bench.path('share');
  await write(folder, 'a.mrc', makeMrc(50_000));
  const watch = begin('share');
  await until(watch, 'a.mrc');
  const other = await bench.run([...WATCH, folder]);
  assert.equal(other.code, 1);
  assert.match(other.stdout, /"code":"watched"/);
  await rename(folder, `${folder}-away`);
  await sleep(SETTLE_MS);
  await rename(`${folder}-away`, folder);
  const bytes = makeMrc(50_000);
  const done = until(watch, 'b.mrc');
  await write(folder, 'b.mrc', bytes);
  await done;
  watch.child.kill('SIGTERM');
  const { stdout } = await watch.ended;
  const said = parseLines(stdout).map(({ event }) => event);
  assert.ok(said.includes('away') && said.includes('back'), stdout);
  assert.equal((await listFiles('share')).length, 2);
});

test('a file that grows again while it is sent settles anew', async () => {
  const folder = bench.path('grows');
  const bytes = makeMrc(3_000_000);
  // Looks finished: its header says that it is this long.
  await write(folder, 'a.mrc', bytes);
  const watch = begin('grows', ['--bwlimit', '1MiB']);
  const { promise: sending, resolve } = Promise.withResolvers<void>();
  watch.child.stdout?.on('data', (text: string) => text.includes('"sending"') && resolve());
  await sending;
  const longer = makeMrc(3_500_000);
  const done = until(watch, 'a.mrc');
  await write(folder, 'a.mrc', longer);
  await done;
  watch.child.kill('SIGTERM');
  await watch.ended;
  assert.deepEqual(await listFiles('grows'), [`a.mrc ${hash(longer)}`]);
});

test('watch: waits for a folder that is not there yet', async () => {
  const running = begin('not-yet', ['--once']);
  const { promise: away, resolve } = Promise.withResolvers<void>();
  running.child.stdout?.on('data', (text: string) => {
    if (text.includes('"event":"away"')) resolve();
  });
  await Promise.race([away, running.ended]);
  assert.equal(running.child.exitCode, null);
  const bytes = makeMrc(20_000);
  await write(bench.path('not-yet'), 'a.mrc', bytes);
  const { code, stdout } = await running.ended;
  assert.equal(code, 0, stdout);
  assert.deepEqual(await listFiles('not-yet'), [`a.mrc ${hash(bytes)}`]);
});
