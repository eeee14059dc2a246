/** `cryolift watch --move-to` and `--delete`: a file goes only when the server is proven to have it. */
import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bench, hash, listFiles, makeMrc, runOnce, startBench, stopBench, WATCH, write } from './test-watch.ts';

before(startBench);
after(stopBench);

/** Loaded before the command: kills it right after it has moved a file away, changed or not. */
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
test('watch: a file that a killed run had moved aside comes back, and is not forgotten', async () => {
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

test('watch: sidecars are sent first, and files move with their tree once the server has them', async () => {
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

test('watch: a run that was killed between upload and deletion deletes later, if the server has the file', async () => {
  const folder = bench.path('later');
  await write(folder, 'kept.mrc', makeMrc(50_000));
  await write(folder, 'deleted.mrc', makeMrc(50_000));
  const { events } = await runOnce('later');
  const kept = events.find(({ filename }) => filename === 'kept.mrc');
  assert.equal((await bench.run(['rm', String(kept?.file_id)])).code, 0);
  assert.equal((await runOnce('later', ['--delete'])).code, 0);
  assert.deepEqual(await readdir(folder), ['kept.mrc']);
});
