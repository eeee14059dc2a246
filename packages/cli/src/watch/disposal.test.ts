import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { dispose } from './disposal.ts';
import { look, type Stamp } from './scan.ts';

const BYTES = 'what went up';
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const NEVER = new AbortController().signal;
/** On most systems a file system of its own. */
const ELSEWHERE = '/dev/shm';

let folder: string;
let stamp: Stamp;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-disposal-'));
  await mkdir(join(folder, 'in/sub'), { recursive: true });
  await writeFile(join(folder, 'in/sub/a.mrc'), BYTES);
  stamp = (await look(join(folder, 'in/sub/a.mrc'))) as Stamp;
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function run(disposal: Parameters<typeof dispose>[0], sha256 = SHA256) {
  return dispose(disposal, join(folder, 'in'), 'sub/a.mrc', stamp, sha256, NEVER);
}

test('a file is moved with its tree', async () => {
  const to = join(folder, 'out');
  assert.deepEqual(await run({ kind: 'move', to }), { kind: 'moved', to: join(to, 'sub/a.mrc') });
  assert.equal(await readFile(join(to, 'sub/a.mrc'), 'utf8'), BYTES);
  assert.deepEqual(await readdir(join(folder, 'in/sub')), []);
});

test('a file is moved to another file system, with its time', async (t) => {
  const to = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(to, { recursive: true }));
  assert.equal((await run({ kind: 'move', to })).kind, 'moved');
  assert.deepEqual(await readdir(join(to, 'sub')), ['a.mrc']);
  const moved = await look(join(to, 'sub/a.mrc'));
  assert.ok(Math.abs((moved?.modifiedMs ?? 0) - stamp.modifiedMs) < 2);
  assert.equal(await look(join(folder, 'in/sub/a.mrc')), null);
});

test('a file is deleted', async () => {
  assert.deepEqual(await run({ kind: 'delete' }), { kind: 'deleted' });
  assert.deepEqual(await readdir(join(folder, 'in/sub')), []);
});

test('what the server has with other bytes stays', async () => {
  assert.match(JSON.stringify(await run({ kind: 'delete' }, '0'.repeat(64))), /"kept".*bytes/);
  assert.ok(await look(join(folder, 'in/sub/a.mrc')));
});

test('what was changed since stays, also when its bytes are the same', async () => {
  await writeFile(join(folder, 'in/sub/a.mrc'), BYTES);
  assert.match(JSON.stringify(await run({ kind: 'delete' })), /"kept".*changed/);
  assert.ok(await look(join(folder, 'in/sub/a.mrc')));
});

test('nothing is replaced at the other place', async (t) => {
  const elsewhere = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(elsewhere, { recursive: true }));
  for (const to of [join(folder, 'out'), elsewhere]) {
    await mkdir(join(to, 'sub'), { recursive: true });
    await writeFile(join(to, 'sub/a.mrc'), 'another');
    assert.match(JSON.stringify(await run({ kind: 'move', to })), /"kept".*is there already/);
    assert.equal(await readFile(join(to, 'sub/a.mrc'), 'utf8'), 'another');
    assert.ok(await look(join(folder, 'in/sub/a.mrc')));
  }
});
