/** Two owners who share an account of the machine: the journal of one is not used for the other. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type Ended, parseLines, TestBench, Wire } from '../testing/test-process.ts';

type Event = Record<string, unknown> & Partial<FileRecord> & { event: string; path: string };

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(() => bench.stop());

async function makeFolder(folder: string, count: number, sizeBytes = 2000): Promise<void> {
  await mkdir(bench.path(folder), { recursive: true });
  for (let at = 0; at < count; at++) {
    const voxels = randomBytes(sizeBytes);
    const bytes = Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
    await writeFile(bench.path(`${folder}/${at}.mrc`), bytes);
  }
}

async function tokenOf(sub: string, scope?: string): Promise<string> {
  const { stdout } = await bench.run(['token', '--sub', sub, ...(scope ? ['--scope', scope] : [])]);
  return stdout.trim();
}

async function countFiles(token: string): Promise<number> {
  const { stdout } = await bench.run(['ls', '-r', '--json', '--token', token]);
  return parseLines<{ kind: string }>(stdout).filter(({ kind }) => kind === 'file').length;
}

function eventsOf({ stdout }: Ended, name: string): Event[] {
  return parseLines<Event>(stdout).filter(({ event }) => event === name);
}

const once = (folder: string, ...args: string[]) => ['watch', '--json', '--once', '--settle', '1s', ...args, folder];

test('owners: a token without --scope can upload, read and delete, only its own files', async () => {
  const { stdout } = await bench.run(['token', '--json']);
  const [{ scope } = { scope: '' }] = parseLines<{ scope: string }>(stdout);
  assert.equal(scope, 'uploads:write files:read files:delete');
});

test('owners: a second owner with any scope uploads a folder again', async () => {
  await makeFolder('shared', 3);
  const [ada, bob, root] = [await tokenOf('ada'), await tokenOf('bob'), await tokenOf('root', 'admin')];
  for (const token of [ada, bob, root]) {
    const first = await bench.run(['upload', '-r', '--json', '--token', token, 'shared']);
    assert.equal(first.code, 0, first.stdout);
    assert.equal(eventsOf(first, 'done').length, 3);
    const second = await bench.run(['upload', '-r', '--json', '--token', token, 'shared']);
    assert.equal(eventsOf(second, 'skipped').length, 3, second.stdout);
    assert.equal(await countFiles(token), 3);
  }
});

test('owners: watch --delete of a second owner keeps files that only the first one has', async () => {
  await makeFolder('watched', 2);
  const [ann, ben] = [await tokenOf('ann', 'admin'), await tokenOf('ben', 'admin')];
  assert.equal((await bench.run(once('watched', '--token', ann))).code, 0);
  const second = await bench.run(once('watched', '--delete', '--token', ben));
  assert.equal(second.code, 0, second.stdout);
  assert.deepEqual(await readdir(bench.path('watched')), []);
  assert.equal(await countFiles(ben), 2);
});

test('owners: watch --delete keeps a file that was deleted from the server', async () => {
  await makeFolder('deleted', 2);
  const token = await tokenOf('dan');
  const first = await bench.run(once('deleted', '--token', token));
  const [gone] = eventsOf(first, 'done');
  assert.equal((await bench.run(['rm', '--token', token, String(gone?.file_id)])).code, 0);
  const second = await bench.run(once('deleted', '--delete', '--token', token));
  assert.deepEqual(
    eventsOf(second, 'disposed')
      .map(({ kind }) => kind)
      .sort(),
    ['deleted', 'kept'],
  );
  assert.deepEqual(await readdir(bench.path('deleted')), [String(gone?.path).slice('deleted/'.length)]);
});

test('owners: an interrupted upload of one owner is not resumed for another', async (t) => {
  await makeFolder('half', 1, 4_000_000);
  const wire = await Wire.to(bench.url);
  t.after(() => wire.close());
  const [amy, rob] = [await tokenOf('amy'), await tokenOf('rob', 'admin')];
  const held = wire.holdAfter(2_000_000);
  const args = (token: string) => ['upload', '--json', '--token', token, 'half/0.mrc'];
  const running = bench.begin(args(amy), { CRYOLIFT_SERVER: wire.url });
  await Promise.race([held, running.ended]);
  running.child.kill('SIGKILL');
  await running.ended;
  wire.reset();
  const ended = await bench.run(args(rob), { CRYOLIFT_SERVER: wire.url });
  assert.equal(ended.code, 0, ended.stdout);
  assert.equal(eventsOf(ended, 'done')[0]?.owner, 'rob');
  assert.deepEqual([await countFiles(amy), await countFiles(rob)], [0, 1]);
});

test('owners: a watch with an upload link moves and deletes its files, also those of an earlier run', async () => {
  const { stdout } = await bench.run(['link', '--json']);
  const [{ url } = { url: '' }] = parseLines<{ url: string }>(stdout);
  const link = `${bench.url}/${url.slice(url.indexOf('#'))}`;
  await makeFolder('linked', 2);
  assert.equal((await bench.run(once('linked', '--link', link))).code, 0);
  const moved = await bench.run(once('linked', '--link', link, '--move-to', bench.path('linked-done')));
  assert.equal(moved.code, 0, moved.stdout);
  assert.deepEqual((await readdir(bench.path('linked-done'))).sort(), ['0.mrc', '1.mrc']);
  await makeFolder('linked', 2);
  assert.equal((await bench.run(once('linked', '--link', link))).code, 0);
  await makeFolder('linked/new', 1);
  const deleted = await bench.run(once('linked', '--link', link, '--delete'));
  assert.equal(deleted.code, 0, deleted.stdout);
  assert.equal(eventsOf(deleted, 'disposed').filter(({ kind }) => kind === 'deleted').length, 3);
  assert.deepEqual(await readdir(bench.path('linked')), ['new']);
});

test('owners: the journal of an earlier version is imported for files whose owner the server confirms', async () => {
  await makeFolder('before', 2);
  const [ava, bib] = [await tokenOf('ava'), await tokenOf('bib')];
  const first = await bench.run(['upload', '-r', '--json', '--token', ava, 'before']);
  const lines = await Promise.all(
    eventsOf(first, 'done').map(async ({ path, file_id, sha256 }) => {
      const { size, mtimeMs: modified_ms, ctimeMs: changed_ms, ino: inode } = await stat(bench.path(path));
      const known = { path: path.slice('before/'.length), size, modified_ms, changed_ms, inode };
      return JSON.stringify({ ...known, file_id, sha256, at: new Date().toISOString() });
    }),
  );
  const folder = await realpath(bench.path('before'));
  const name = createHash('sha256').update(`${bench.url}\n${folder}`).digest('hex').slice(0, 32);
  const old = join(bench.folder, 'old-state', 'cryolift', 'folders', `${name}.jsonl`);
  await mkdir(dirname(old), { recursive: true });
  // One line is incomplete, as after a crash.
  await writeFile(old, `\n${lines.join('\n{"path":"c.mrc","si\n')}`);
  const env = { XDG_STATE_HOME: join(bench.folder, 'old-state') };
  const own = await bench.run(['upload', '-r', '--json', '--token', ava, 'before'], env);
  assert.deepEqual(
    ['skipped', 'done'].map((event) => eventsOf(own, event).length),
    [2, 0],
  );
  assert.equal(eventsOf(own, 'journal_adopted')[0]?.files, 2);
  const others = await bench.run(['upload', '-r', '--json', '--token', bib, 'before'], env);
  assert.deepEqual(
    ['skipped', 'done'].map((event) => eventsOf(others, event).length),
    [0, 2],
  );
  const again = await bench.run(['upload', '-r', '--json', '--token', ava, 'before'], env);
  assert.deepEqual([eventsOf(again, 'skipped').length, eventsOf(again, 'journal_adopted').length], [2, 0]);
});
