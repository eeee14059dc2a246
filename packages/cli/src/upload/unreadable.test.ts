/** Entries of folders that cannot be sent: real names, pipes, links and modes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { type Ended, parseLines, runAlone, TestBench } from '../testing/test-process.ts';

/** Used only when a command hangs. */
const HANGS = { timeout: 120_000 };
/** macOS refuses such names. */
const RAW_NAMES = { ...HANGS, skip: process.platform === 'darwin' && 'needs file names that are not UTF-8' };
const MRC = Buffer.concat([buildHeader({ nx: 100, ny: 1, nz: 1, mode: 0 }), Buffer.alloc(100, 1)]);

type Event = Record<string, unknown> & { event: string; path: string };

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

function rawPath(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${bench.path(folder)}/`), Buffer.from(name, 'latin1')]);
}

/** @returns the paths that cannot be sent, and the message for each. */
async function makeUnreadable(folder: string): Promise<[path: string, said: RegExp][]> {
  const path = (name: string) => bench.path(`${folder}/${name}`);
  await mkdir(path('closed'), { recursive: true });
  await writeFile(path('closed/in.mrc'), MRC);
  await chmod(path('closed'), 0o000);
  await writeFile(path('good.mrc'), MRC);
  await writeFile(rawPath(folder, 'gr\xe5d.mrc'), MRC);
  await writeFile(rawPath(folder, 'n\xf6te.log'), 'a type that the server does not accept');
  await mkdir(rawPath(folder, '\xd6rdner'));
  await symlink('nowhere.mrc', path('dangling.mrc'));
  await symlink('round.mrc', path('round.mrc'));
  execFileSync('mkfifo', [path('pipe.mrc')]);
  await symlink('pipe.mrc', path('to-pipe.mrc'));
  await symlink('/dev/zero', path('zero.mrc'));
  return [
    ['\\xd6rdner', /not UTF-8/],
    ['closed', /folder cannot be read: permission denied/],
    ['dangling.mrc', /no such file/],
    ['gr\\xe5d.mrc', /not UTF-8/],
    ['pipe.mrc', /a named pipe, not a regular file/],
    ['round.mrc', /its symbolic links form a cycle/],
    ['to-pipe.mrc', /a named pipe, not a regular file/],
    ['zero.mrc', /a device, not a regular file/],
  ];
}

function eventsOf({ stdout }: Ended, name: string): Event[] {
  return parseLines<Event>(stdout).filter(({ event }) => event === name);
}

function assertSaid(ended: Ended, folder: string, expected: readonly [string, RegExp][]): void {
  const errors = eventsOf(ended, 'error').sort((a, b) => (a.path < b.path ? -1 : 1));
  assert.deepEqual(
    errors.map(({ path }) => path),
    expected.map(([path]) => join(folder, path)),
    ended.stdout,
  );
  for (const [at, [, said]] of expected.entries()) assert.match(String(errors[at]?.message), said);
  assert.deepEqual(
    eventsOf(ended, 'done').map(({ filename }) => filename),
    ['good.mrc'],
  );
}

test('upload -r: prints and counts entries that cannot be sent, and exits with 4', RAW_NAMES, async () => {
  const expected = await makeUnreadable('tree');
  const ended = await bench.runUnprivileged(['upload', '-r', '--json', 'tree']);
  assertSaid(ended, 'tree', expected);
  assert.equal(ended.code, 4);
  const [summary] = eventsOf(ended, 'summary');
  assert.deepEqual([summary?.done, summary?.failed, summary?.left_out], [1, expected.length, 1]);
});

test('watch --once: prints each entry that cannot be sent once, counts them, and exits with 4', RAW_NAMES, async () => {
  const expected = await makeUnreadable('watched');
  const ended = await bench.runUnprivileged(['watch', '--once', '--settle', '2s', '--json', 'watched']);
  assertSaid(ended, 'watched', expected);
  assert.equal(ended.code, 4);
  const [summary] = eventsOf(ended, 'summary');
  assert.deepEqual([summary?.files, summary?.failed, summary?.unusable], [1, 0, expected.length]);
});

test('watch --once: exits with 4 for a folder without read permission', HANGS, async () => {
  await mkdir(bench.path('locked'));
  await chmod(bench.path('locked'), 0o000);
  const ended = await bench.runUnprivileged(['watch', '--once', '--settle', '1s', '--json', 'locked']);
  assert.equal(ended.code, 4, ended.stdout);
  assert.match(String(eventsOf(ended, 'error')[0]?.message), /permission denied/);
});

test('upload: reports a name on the command line that is not UTF-8', RAW_NAMES, async () => {
  await writeFile(rawPath('.', 'sp\xe4t.mrc'), MRC);
  // Arguments of Node's `spawn` are text.
  const ended = await bench.runInShell(String.raw`$CRYOLIFT upload --json $(printf 'sp\344t.mrc')`);
  assert.equal(ended.code, 1);
  assert.match(String(eventsOf(ended, 'error')[0]?.message), /not UTF-8/);
});

test('upload, verify, inspect: read regular files only', HANGS, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-odd-'));
  const pipe = join(folder, 'pipe.mrc');
  const link = join(folder, 'link.mrc');
  execFileSync('mkfifo', [pipe]);
  await symlink(pipe, link);
  const socket = join(folder, 'socket.mrc');
  const server = createServer().listen(socket);
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  const odd: readonly (readonly [path: string, said: RegExp])[] = [
    [pipe, /a named pipe/],
    [link, /a named pipe/],
    [socket, /a socket/],
    ['/dev/zero', /a device/],
    [folder, /a folder/],
  ];
  for (const [path, said] of odd) {
    for (const args of [
      ['inspect', path],
      ['verify', path, 'some-id'],
      ...(path === folder ? [] : [['upload', path]]),
    ]) {
      const { code, stderr } = await bench.run(args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, said, args.join(' '));
    }
  }
  await writeFile(join(folder, 'good.mrc'), MRC);
  const listed = await bench.run(['upload', '--checksums', pipe, join(folder, 'good.mrc')]);
  assert.equal(listed.code, 2);
  assert.match(listed.stderr, /--checksums needs a regular file/);
});

test('messages: errors of the system are printed as text', async () => {
  const missing = await runAlone(['inspect', '/nowhere/a.mrc']);
  assert.match(missing.stderr, /no such file/);
  await writeFile(bench.path('plain.mrc'), MRC);
  const noFolder = await bench.run(['upload', '--checksums', 'nowhere/list', 'plain.mrc']);
  assert.equal(noFolder.code, 1);
  assert.match(noFolder.stderr, /nowhere\/list: no such file or folder/);
  for (const { stderr } of [missing, noFolder]) assert.doesNotMatch(stderr, /ENOENT:/);
});
