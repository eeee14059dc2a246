/** `cryolift watch` as a process, on a folder in which an instrument writes. */
import assert from 'node:assert/strict';
import { appendFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLines } from '../testing/test-process.ts';
import {
  begin,
  bench,
  hash,
  listFiles,
  makeMrc,
  runOnce,
  SETTLE_MS,
  startBench,
  stopBench,
  until,
  WATCH,
  write,
} from './test-watch.ts';

before(startBench);
after(stopBench);

test('watch: an instrument writes, renames and removes files, the watch is killed: each finished file is uploaded once', async () => {
  const folder = bench.path('session');
  const finished = new Map<string, Buffer>();
  let watch = begin('session');

  /** Written in chunks for longer than the settle time, under its own name or a temporary one. */
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
  // The temporary name is never uploaded.
  await write(folder, 'grid1/.hidden.mrc', makeMrc(5_000));
  await Promise.all([
    grow('grid1/a.mrc', makeMrc(200_000)),
    grow('grid1/b.mrc', makeMrc(150_000), 'grid1/b.mrc.tmp'),
    grow('grid2/c.mrc', makeMrc(120_000), 'grid2/.c.mrc'),
    grow('grid2/d.mrc', makeMrc(90_000), 'grid2/d.mrcdownloading'),
    // Renamed after it has settled and was perhaps uploaded.
    grow('grid3/e.mrc', early, 'grid3/early.mrc').then(() => sleep(SETTLE_MS)),
    // Removed while it grows.
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

test('watch: a refusal is reported once, and the file is tried again only when it changes', async () => {
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

test('watch: a folder is watched by one process, and a folder that goes away is waited for', async () => {
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

test('watch: a file that grows while it is sent must settle again', async () => {
  const folder = bench.path('grows');
  const bytes = makeMrc(3_000_000);
  // Complete according to its header.
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

test('watch: waits for a folder that does not exist yet', async () => {
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
