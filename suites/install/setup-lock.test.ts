/** The lock of scripts/setup.mjs: nothing that lies in its place holds a set-up up. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A temporary folder of the script's own. @returns where the lock is. */
function makePlace(context: TestContext): { folder: string; lock: string } {
  const folder = mkdtempSync(join(tmpdir(), 'cl-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const id = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  return { folder, lock: join(folder, `cryolift-setup-${process.getuid?.()}-${id}.sock`) };
}

/** All is installed, so that the script only takes the lock and checks. */
function setUp(folder: string) {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/setup.mjs')], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let stderr = '';
  const { promise: waits, resolve: nowWaits } = Promise.withResolvers<void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (stderr.includes('waiting for another set-up')) nowWaits();
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stderr }));
  });
  return { ended, waits };
}

test('set-up: what a killed one has left is removed', async (context) => {
  const { folder, lock } = makePlace(context);
  const killed = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(lock)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  await new Promise((resolve) => killed.once('close', resolve));
  assert.ok(lstatSync(lock).isSocket());
  assert.deepEqual(await setUp(folder).ended, { code: 0, stderr: '' });
});

test('set-up: another one of ours is waited for', async (context) => {
  const { folder, lock } = makePlace(context);
  const connections: Socket[] = [];
  const other = createServer((socket) => void connections.push(socket.resume())).listen(lock);
  await new Promise((resolve) => other.once('listening', resolve));
  const { ended, waits } = setUp(folder);
  await waits;
  other.close();
  for (const each of connections) each.end();
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
});

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root can give a socket to another user' };

test('set-up: a socket of another user is not waited for', asRoot, async (context) => {
  const { folder, lock } = makePlace(context);
  const other = createServer((socket) => socket.on('error', () => {})).listen(lock);
  await new Promise((resolve) => other.once('listening', resolve));
  context.after(() => other.close());
  chownSync(lock, 65_534, 65_534);
  const { code, stderr } = await setUp(folder).ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /going on without a lock/);
});

for (const [what, put] of [
  ['a link to nowhere', (lock: string) => symlinkSync('nowhere', lock)],
  ['a link to itself', (lock: string) => symlinkSync(lock, lock)],
  ['a folder', (lock: string) => mkdirSync(lock)],
  ['a file', (lock: string) => writeFileSync(lock, '')],
] as const) {
  test(`set-up: ${what} in the place of the lock does not hold it up`, async (context) => {
    const { folder, lock } = makePlace(context);
    put(lock);
    const { code, stderr } = await setUp(folder).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /going on without a lock.*not a socket of yours/);
  });
}
