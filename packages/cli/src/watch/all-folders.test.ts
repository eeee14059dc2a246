/** `cryolift watch --config` as a process. */
import assert from 'node:assert/strict';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { parseLines } from '../testing/test-process.ts';
import { awaitStatus, writeSettings, writeToken } from '../testing/test-settings.ts';
import { bench, hash, listFiles, makeMrc, startBench, stopBench, write } from './test-watch.ts';

before(async () => {
  await startBench();
  await writeToken(bench);
});
after(stopBench);

const label = (name: string) => `meta = { label = "${name}" }`;

test('watch --config: folders are uploaded as their tables say; a folder with trouble is tried again', async (t) => {
  // Only its real path is inside the watched folder.
  const settings = await writeSettings(bench, 'several', {
    good: `${label('good')}\nmove_to = '${bench.path('good-done')}'\nexclude = ["Atlas"]`,
    blocked: `${label('blocked')}\nmove_to = '${bench.path('inside')}'`,
    taken: label('taken'),
  });
  await symlink(bench.path('blocked'), bench.path('inside'));
  const files = new Map<string, Buffer>();
  for (const folder of ['good', 'blocked', 'taken']) {
    files.set(folder, makeMrc(30_000));
    await write(bench.path(folder), 'a.mrc', files.get(folder) as Buffer);
  }
  await write(bench.path('good'), 'Atlas/x.mrc', makeMrc(2000));
  const other = bench.begin(['watch', '--json', '--settle', '1h', bench.path('taken')]);
  t.after(() => other.child.kill('SIGKILL'));
  await new Promise<void>((resolve) => {
    other.child.stdout?.on('data', (text: string) => text.includes('"watching"') && resolve());
  });
  const watch = bench.begin(['watch', '--config', settings, '--json']);
  t.after(() => watch.child.kill('SIGKILL'));
  const folders = await awaitStatus(bench, settings, ([good, ...rest]) => {
    return good?.done === 1 && good.state === 'idle' && rest.every(({ state }) => state === 'problem');
  });
  assert.deepEqual(
    folders.map(({ problem }) => problem?.code),
    [undefined, 'usage', 'watched'],
  );
  assert.deepEqual(await listFiles('good'), [`a.mrc ${hash(files.get('good') as Buffer)}`]);
  await rm(bench.path('good-done/a.mrc'));

  await rm(bench.path('inside'));
  other.child.kill('SIGTERM');
  await awaitStatus(bench, settings, (all) => all.every(({ state, done }) => state === 'idle' && done === 1));
  for (const folder of ['blocked', 'taken']) {
    assert.deepEqual(await listFiles(folder), [`a.mrc ${hash(files.get(folder) as Buffer)}`]);
  }
  watch.child.kill('SIGTERM');
  const { code, stdout } = await watch.ended;
  assert.equal(code, 130);
  const lines = parseLines(stdout);
  assert.deepEqual(
    [...new Set(lines.filter(({ event }) => event === 'done').map(({ folder }) => folder))].sort(),
    ['blocked', 'good', 'taken'].map((folder) => bench.path(folder)),
  );
});

test('watch --config: a refused token is a problem until another one is in the file', async (t) => {
  const settings = await writeSettings(bench, 'refused', { later: label('later') });
  const bytes = makeMrc(20_000);
  await write(bench.path('later'), 'a.mrc', bytes);
  await writeFile(bench.path('token'), 'no.good.token');
  t.after(() => writeToken(bench));
  const watch = bench.begin(['watch', '--config', settings]);
  t.after(() => watch.child.kill('SIGKILL'));
  const [folder] = await awaitStatus(bench, settings, ([each]) => each?.state === 'problem');
  assert.equal(folder?.problem?.code, 'unauthenticated');
  assert.equal(folder?.problem?.hint, `put a new token into ${bench.path('token')}: it is read again`);
  await writeToken(bench);
  await awaitStatus(bench, settings, ([each]) => each?.state === 'idle' && each.done === 1);
  assert.deepEqual(await listFiles('later'), [`a.mrc ${hash(bytes)}`]);
  watch.child.kill('SIGINT');
  assert.equal((await watch.ended).code, 130);
});

test('watch --config --once: ends with the exit code of its folders; a second process is refused', async (t) => {
  const settings = await writeSettings(bench, 'once', { first: label('first'), second: label('second') });
  await write(bench.path('first'), 'a.mrc', makeMrc(20_000));
  assert.equal((await bench.run(['watch', '--config', settings, '--once'])).code, 0);
  assert.equal((await listFiles('first')).length, 1);
  await write(bench.path('second'), 'wrong.mrc', Buffer.from('wrong'));
  assert.equal((await bench.run(['watch', '--config', settings, '--once'])).code, 4);

  const watch = bench.begin(['watch', '--config', settings]);
  t.after(() => watch.child.kill('SIGKILL'));
  await awaitStatus(bench, settings, (_, { pid }) => pid === watch.child.pid);
  const second = await bench.run(['watch', '--config', settings, '--json']);
  assert.equal(second.code, 1);
  assert.equal(parseLines(second.stdout).at(-1)?.code, 'watch_running');
  watch.child.kill('SIGKILL');
});

test('watch --config: the limit at the top holds for all folders together, also those with their own', async () => {
  const settings = await writeSettings(
    bench,
    'limited',
    { slow: label('slow'), own: `${label('own')}\nbwlimit = "100MiB"\ncompress = false` },
    'bwlimit = "400KiB"\nparallel = 4',
  );
  for (const folder of ['slow', 'own']) await write(bench.path(folder), 'a.mrc', makeMrc(1200 * 1024));
  const { code, stdout } = await bench.run(['watch', '--config', settings, '--once', '--json']);
  assert.equal(code, 0, stdout);
  const done = parseLines(stdout).filter(({ event }) => event === 'done');
  const longest = Math.max(...done.map(({ seconds }) => Number(seconds)));
  assert.ok(longest > 4.5, `2.4 MB at 400 KiB/s took ${longest} s`);
});

test('watch --config: options that the file has are refused, and so is a folder', async () => {
  const settings = await writeSettings(bench, 'usage', { any: '' });
  for (const [args, message] of [
    [['--settle', '5s'], /--settle cannot be given with --config/],
    [['--no-compress'], /--no-compress cannot be given with --config/],
    [[bench.path('any')], /give a folder or --config FILE, not both/],
  ] as const) {
    const { code, stderr } = await bench.run(['watch', '--config', settings, ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  const neither = await bench.run(['watch']);
  assert.equal(neither.code, 2);
  assert.match(neither.stderr, /watch needs a folder, or --config FILE/);
});
