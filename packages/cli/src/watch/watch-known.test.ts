/** `cryolift watch --skip-known`: what the server has is copied there; a local file goes only when the copy is proven. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { startChanging } from '../testing/changing-proxy.ts';
import { parseLines, Wire } from '../testing/test-process.ts';
import { awaitStatus, writeSettings, writeToken } from '../testing/test-settings.ts';
import { bench, hash, listFiles, makeMrc, startBench, stopBench, WATCH, write } from './test-watch.ts';

/** Bytes besides those of files: heads, records and connections. */
const TALK_BYTES = 100 * 1024;
const FILE_BYTES = 300 * 1024;

before(startBench);
after(stopBench);

/** A file that the server has, under another name. @returns its bytes. */
async function makeKnown(label: string): Promise<Buffer> {
  const bytes = makeMrc(FILE_BYTES);
  await write(bench.path(`${label}-before`), 'before.mrc', bytes);
  assert.equal((await bench.run(['upload', bench.path(`${label}-before/before.mrc`)])).code, 0);
  return bytes;
}

const run = async (label: string, more: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const args = [...WATCH, '--once', '--skip-known', '--meta', `label=${label}`, ...more, bench.path(label)];
  const ended = await bench.run(args, env);
  const events = parseLines<{ event: string; reason?: string; kind?: string; why?: string; path?: string }>(
    ended.stdout,
  );
  return { ...ended, events };
};

test('watch --skip-known: only what the server lacks is sent, and nothing again', async (t) => {
  const known = await makeKnown('saved');
  const other = makeMrc(FILE_BYTES);
  await write(bench.path('saved'), 'sub/gain.mrc', known);
  await write(bench.path('saved'), 'new.mrc', other);
  const wire = await Wire.to(bench.url);
  t.after(() => wire.close());
  const first = await run('saved', [], { CRYOLIFT_SERVER: wire.url });
  assert.equal(first.code, 0, first.stderr);
  const sent = wire.carriedBytes;
  assert.ok(sent > FILE_BYTES && sent < FILE_BYTES + TALK_BYTES, `${sent} bytes were sent`);
  const skipped = first.events.filter(({ event, reason }) => event === 'skipped' && reason === 'known');
  assert.deepEqual(
    skipped.map(({ path }) => path),
    [bench.path('saved/sub/gain.mrc')],
  );
  assert.deepEqual(await listFiles('saved'), [`new.mrc ${hash(other)}`, `sub/gain.mrc ${hash(known)}`]);
  const second = await run('saved', [], { CRYOLIFT_SERVER: wire.url });
  assert.deepEqual(
    second.events.filter(({ event }) => event === 'skipped' || event === 'done'),
    [],
  );
});

test('watch --skip-known --delete: a copied file goes when its record is there, and stays when it is not', async (t) => {
  const known = await makeKnown('taken');
  await write(bench.path('taken'), 'a.mrc', known);
  // Somebody deletes the copy before the watch asks for it.
  let isDeleting = true;
  const url = await startChanging(t, bench.url, ({ method, path }) =>
    isDeleting && method === 'POST' && path.endsWith('/copy')
      ? async (body) => {
          const { file_id } = JSON.parse(body) as FileRecord;
          assert.equal((await bench.run(['rm', file_id])).code, 0);
          isDeleting = false;
          return body;
        }
      : null,
  );
  const first = await run('taken', ['--delete'], { CRYOLIFT_SERVER: url });
  assert.ok(!isDeleting, first.stderr);
  assert.match(first.events.find(({ event }) => event === 'disposed')?.why ?? '', /^it was deleted from the server/);
  assert.deepEqual(await readdir(bench.path('taken')), ['a.mrc']);
  await write(bench.path('taken'), 'b.mrc', known);
  const moved = bench.path('taken-moved');
  const second = await run('taken', ['--move-to', moved], { CRYOLIFT_SERVER: url });
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual([await readdir(bench.path('taken')), await readdir(moved)], [['a.mrc'], ['b.mrc']]);
  assert.deepEqual(await listFiles('taken'), [`b.mrc ${hash(known)}`]);
});

test('watch --skip-known --after-receipt: a copied file goes when a receipt names the copy', async () => {
  const known = await makeKnown('proven');
  await write(bench.path('proven'), 'a.mrc', known);
  const args = ['--dataset', 'proven', '--delete', '--after-receipt'];
  const first = await run('proven', args);
  assert.ok(first.events.some(({ reason }) => reason === 'known'));
  assert.equal(first.events.find(({ event }) => event === 'disposed')?.why, 'its dataset has no receipt yet');
  assert.deepEqual(await readdir(bench.path('proven')), ['a.mrc']);
  assert.equal((await bench.run(['dataset', 'receipt', 'proven', '--now', '-o', bench.path('r')])).code, 0);
  const second = await run('proven', args);
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(await readdir(bench.path('proven')), []);
});

test('watch --skip-known: a link may not ask, so that all is sent, and a note says so once', async () => {
  const known = await makeKnown('linked');
  await write(bench.path('linked'), 'a.mrc', known);
  await write(bench.path('linked'), 'b.mrc', makeMrc(FILE_BYTES));
  const [link] = parseLines<{ url: string }>((await bench.run(['link', '--json'])).stdout);
  const args = ['watch', '--settle', '1s', '--once', '--skip-known', '--link', link?.url ?? '', bench.path('linked')];
  const { code, stderr } = await bench.run(args);
  assert.equal(code, 0, stderr);
  assert.equal(stderr.match(/--skip-known: this token may not read file records; all files are sent/g)?.length, 1);
});

test('watch --config: skip_known is a setting of a folder, and a copied file counts as done', async (t) => {
  await writeToken(bench);
  const known = await makeKnown('set');
  await write(bench.path('set'), 'a.mrc', known);
  const settings = await writeSettings(bench, 'set', { set: 'skip_known = true\nmeta = { label = "set" }' });
  const watch = bench.begin(['watch', '--config', settings, '--json']);
  t.after(() => watch.child.kill('SIGKILL'));
  await awaitStatus(bench, settings, ([folder]) => folder?.done === 1 && folder.state === 'idle');
  watch.child.kill('SIGTERM');
  const lines = parseLines<{ event: string; reason?: string }>((await watch.ended).stdout);
  assert.ok(lines.some(({ reason }) => reason === 'known'));
  assert.deepEqual(await listFiles('set'), [`a.mrc ${hash(known)}`]);
});
