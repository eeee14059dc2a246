/** `cryolift watch` and files that another program holds, as on Windows. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { holding } from '../testing/hold-files.ts';
import { parseLines, type Running } from '../testing/test-process.ts';
import { bench, hash, listFiles, makeMrc, startBench, stopBench, WATCH, write } from './test-watch.ts';

before(startBench);
after(stopBench);

/** Starts a watch for which the file is held. @returns a function that frees it. */
async function beginHeld(label: string, how: string, args: string[]): Promise<[Running, () => Promise<void>]> {
  const held = bench.path(`${label}-held`);
  await mkdir(held);
  await writeFile(join(held, 'a.mrc'), how);
  const all = [...WATCH, '--meta', `label=${label}`, ...args, bench.path(label)];
  return [bench.begin(all, holding(held)), async () => await rm(join(held, 'a.mrc'))];
}

async function untilPrinted(running: Running, event: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  running.child.stdout?.on('data', (text: string) => text.includes(`"event":"${event}"`) && resolve());
  running.ended.then(({ stdout, stderr }) => reject(new Error(`the watch ended: ${stdout}${stderr}`)));
  await promise;
}

test('watch --once: a file that another program holds is waited for as if it still grew', async () => {
  const bytes = makeMrc(50_000);
  await write(bench.path('camera'), 'a.mrc', bytes);
  await write(bench.path('camera'), 'b.mrc', bytes);
  const [running, release] = await beginHeld('camera', '', ['--once']);
  await untilPrinted(running, 'held');
  await untilPrinted(running, 'done');
  await release();
  const { code, stdout } = await running.ended;
  assert.equal(code, 0, stdout);
  const events = parseLines(stdout);
  assert.deepEqual(
    events.filter(({ event }) => event === 'held').map(({ path }) => path),
    ['a.mrc'],
  );
  assert.deepEqual(
    events.filter(({ event }) => event === 'error'),
    [],
  );
  const summary = events.at(-1);
  assert.deepEqual([summary?.done, summary?.failed, summary?.unusable], [2, 0, 0]);
  assert.deepEqual(await listFiles('camera'), [`a.mrc ${hash(bytes)}`, `b.mrc ${hash(bytes)}`]);
});

for (const [label, args] of [
  ['deleted', ['--delete']],
  ['moved', ['--move-to']],
] as const) {
  test(`watch: a file that stays held after its upload is kept, reported once, and ${label} later`, async () => {
    const to = bench.path(`${label}-to`);
    await write(bench.path(label), 'a.mrc', makeMrc(50_000));
    const [running, release] = await beginHeld(label, 'shared', label === 'moved' ? [...args, to] : [...args]);
    await untilPrinted(running, 'disposed');
    assert.deepEqual(await readdir(bench.path(label)), ['a.mrc']);
    assert.equal(existsSync(join(to, 'a.mrc')), false);
    await release();
    await untilPrinted(running, 'disposed');
    assert.deepEqual(await readdir(bench.path(label)), []);
    assert.equal(existsSync(join(to, 'a.mrc')), label === 'moved');
    running.child.kill('SIGTERM');
    const { stdout } = await running.ended;
    const events = parseLines(stdout).filter(({ event, code }) => {
      return event === 'disposed' || (event === 'error' && code !== 'interrupted');
    });
    assert.deepEqual(
      events.map(({ kind, why }) => [kind, why]),
      [
        ['kept', 'another program has it open'],
        [label, undefined],
      ],
    );
  });
}
