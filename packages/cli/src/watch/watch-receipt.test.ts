/** `cryolift watch --after-receipt`: a file goes only when a signed receipt of its dataset names it. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startChanging } from '../testing/changing-proxy.ts';
import { parseLines } from '../testing/test-process.ts';
import { bench, makeMrc, startBench, stopBench, WATCH, write } from './test-watch.ts';

before(startBench);
after(stopBench);

const run = async (
  label: string,
  env: Readonly<Record<string, string>> = {},
  more: readonly string[] = ['--delete'],
) => {
  const args = [...WATCH, '--once', '--dataset', label, '--after-receipt', ...more, bench.path(label)];
  const ended = await bench.run(args, env);
  return { ...ended, events: parseLines<{ event: string; path: string; why?: string }>(ended.stdout) };
};
const whys = (events: readonly { event: string; why?: string }[]) =>
  events.filter(({ event }) => event === 'disposed').map(({ why }) => why);

/** Kills the command when it is about to take a file away. */
const KILL_BEFORE_TAKING = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { rename } = fs.promises;
  fs.promises.rename = async (from, to) => {
    if (!to.includes('.gone')) return await rename(from, to);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  };
  syncBuiltinESMExports();
`;

test('watch: a file stays until a receipt names it, is taken once there is one, also after a kill', async () => {
  const folder = bench.path('proven');
  await write(folder, 'sub/a.mrc', makeMrc(20_000));
  const first = await run('proven');
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(whys(first.events), ['its dataset has no receipt yet']);
  assert.equal((await bench.run(['dataset', 'receipt', 'proven', '--now', '-o', bench.path('r')])).code, 0);
  // It came after the receipt.
  await write(folder, 'b.mrc', makeMrc(30_000));
  const preload = `data:text/javascript,${encodeURIComponent(KILL_BEFORE_TAKING)}`;
  assert.equal((await run('proven', { NODE_OPTIONS: `--import=${preload}` })).code, null);
  assert.ok((await readdir(`${folder}/sub`)).includes('a.mrc'));
  const second = await run('proven');
  assert.deepEqual(new Set(whys(second.events)), new Set(['the receipt of its dataset does not name it', undefined]));
  assert.deepEqual([await readdir(folder), await readdir(`${folder}/sub`)], [['b.mrc', 'sub'], []]);
  assert.equal((await bench.run(['dataset', 'complete', 'proven'])).code, 0);
  assert.equal((await bench.run(['dataset', 'receipt', 'proven', '-o', bench.path('r')])).code, 0);
  await run('proven', {}, ['--move-to', bench.path('moved')]);
  assert.deepEqual([await readdir(folder), await readdir(bench.path('moved'))], [['sub'], ['b.mrc']]);
});

test('watch: a changed receipt, and one of an unknown key, prove nothing', async (t) => {
  const folder = bench.path('forged');
  await write(folder, 'a.mrc', makeMrc(20_000));
  let change = (_path: string, body: string) => body;
  const url = await startChanging(t, bench.url, ({ method, path }) =>
    method === 'GET' && path.includes('receipt') ? (body) => change(path, body) : null,
  );
  await run('forged', { CRYOLIFT_SERVER: url });
  await bench.run(['dataset', 'receipt', 'forged', '--now', '-o', bench.path('r')]);
  change = (path, body) => (path.endsWith('/receipt') ? body.replace('"uploader":"', '"uploader":"x') : body);
  const changed = await run('forged', { CRYOLIFT_SERVER: url });
  assert.match(String(whys(changed.events)), /^the receipt of its dataset is not right: /);
  change = (path, body) => (path.includes('receipt-keys') ? '{"keys":[]}' : body);
  const unknown = await run('forged', { CRYOLIFT_SERVER: url });
  assert.match(String(whys(unknown.events)), /, which is no key of the server$/);
  assert.deepEqual(await readdir(folder), ['a.mrc']);
  change = (_path, body) => body;
  await run('forged', { CRYOLIFT_SERVER: url });
  assert.deepEqual(await readdir(folder), []);
});

test('watch: a receipt is demanded for a dataset and for files that go', async () => {
  for (const [args, message] of [
    [['--dataset', 'x', '--after-receipt'], /--after-receipt needs --delete or --move-to/],
    [['--delete', '--after-receipt'], /--after-receipt needs --dataset/],
  ] as const) {
    const { code, stderr } = await bench.run(['watch', ...args, bench.folder]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});
