/** `cryolift watch --after-receipt`: a file goes only when a signed receipt of its dataset names it. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
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

/** Between the command and the server: changes what the server answers. @returns its URL. */
async function startChanging(t: { after(fn: () => void): void }, change: (path: string, body: string) => string) {
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, headers, url: path = '/' } = incoming;
    const { host: _, ...rest } = headers;
    const sent = request(`${bench.url}${path}`, { method: method ?? 'GET', headers: rest });
    incoming.pipe(sent);
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      sent.on('response', resolve).on('error', reject),
    );
    if (method === 'GET' && /receipt/.test(path)) {
      const body = change(path, await text(answer));
      outgoing.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/json' }).end(body);
    } else {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    }
  };
  const proxy = createServer((incoming, outgoing) => void pass(incoming, outgoing).catch(() => outgoing.destroy()));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

test('watch: a changed receipt, and one of an unknown key, prove nothing', async (t) => {
  const folder = bench.path('forged');
  await write(folder, 'a.mrc', makeMrc(20_000));
  let change = (_path: string, body: string) => body;
  const url = await startChanging(t, (path, body) => change(path, body));
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
