/** `cryolift watch` uploads each content of a file once, also after a rename or a kill. */
import assert from 'node:assert/strict';
import { rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
  write,
} from './test-watch.ts';

before(startBench);
after(stopBench);

test('watch: a file that was renamed or touched is not uploaded again; one with new content is', async () => {
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

test('watch: a file that replaces another of the same size and time is uploaded; one that was put back is not', async () => {
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

test('watch: a file that was published just before the watch was killed is not sent again', async () => {
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
