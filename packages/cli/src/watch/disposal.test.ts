import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { utimesSync, writeFileSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { dispose, giveBack } from './disposal.ts';
import { type Stamp, statFile } from './scan.ts';

const BYTES = 'what went up';
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const NEVER = new AbortController().signal;
/** A separate file system on most systems. */
const ELSEWHERE = '/dev/shm';

let folder: string;
let stamp: Stamp;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-disposal-'));
  await mkdir(join(folder, 'in/sub'), { recursive: true });
  await writeFile(join(folder, 'in/sub/a.mrc'), BYTES);
  stamp = (await statFile(join(folder, 'in/sub/a.mrc'))) as Stamp;
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function run(disposal: Parameters<typeof dispose>[0], sha256 = SHA256, path = 'sub/a.mrc') {
  return dispose(disposal, join(folder, 'in'), path, stamp, sha256, NEVER);
}

test('disposal: a file is moved with its subfolders', async () => {
  const to = join(folder, 'out');
  assert.deepEqual(await run({ kind: 'move', to }), { kind: 'moved', to: join(to, 'sub/a.mrc') });
  assert.equal(await readFile(join(to, 'sub/a.mrc'), 'utf8'), BYTES);
  assert.deepEqual(await readdir(join(folder, 'in/sub')), []);
});

test('disposal: a move to another file system keeps the time of the file', async (t) => {
  const to = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(to, { recursive: true }));
  assert.equal((await run({ kind: 'move', to })).kind, 'moved');
  assert.deepEqual(await readdir(join(to, 'sub')), ['a.mrc']);
  const moved = await statFile(join(to, 'sub/a.mrc'));
  assert.ok(Math.abs((moved?.modifiedMs ?? 0) - stamp.modifiedMs) < 2);
  assert.equal(await statFile(join(folder, 'in/sub/a.mrc')), null);
});

test('disposal: a file is deleted', async () => {
  assert.deepEqual(await run({ kind: 'delete' }), { kind: 'deleted' });
  assert.deepEqual(await readdir(join(folder, 'in/sub')), []);
});

test('disposal: a file with other bytes than on the server is kept', async () => {
  assert.match(JSON.stringify(await run({ kind: 'delete' }, '0'.repeat(64))), /"kept".*bytes/);
  assert.ok(await statFile(join(folder, 'in/sub/a.mrc')));
});

test('disposal: a file that was changed is kept, also with the same bytes', async () => {
  await writeFile(join(folder, 'in/sub/a.mrc'), BYTES);
  assert.match(JSON.stringify(await run({ kind: 'delete' })), /"kept".*changed/);
  assert.ok(await statFile(join(folder, 'in/sub/a.mrc')));
});

test('disposal: a symbolic link is kept', async () => {
  await rename(join(folder, 'in/sub/a.mrc'), join(folder, 'real.mrc'));
  await symlink('../../real.mrc', join(folder, 'in/sub/a.mrc'));
  for (const disposal of [{ kind: 'delete' }, { kind: 'move', to: join(folder, 'out') }] as const) {
    assert.match(JSON.stringify(await run(disposal)), /"kept".*link/);
  }
  assert.ok(await statFile(join(folder, 'in/sub/a.mrc')));
});

test('disposal: a move that was killed between its two steps is finished', async () => {
  const to = join(folder, 'out');
  await mkdir(join(to, 'sub'), { recursive: true });
  await link(join(folder, 'in/sub/a.mrc'), join(to, 'sub/a.mrc'));
  stamp = (await statFile(join(folder, 'in/sub/a.mrc'))) as Stamp;
  assert.equal((await run({ kind: 'move', to })).kind, 'moved');
  assert.deepEqual(await readdir(join(folder, 'in/sub')), []);
  assert.equal(await readFile(join(to, 'sub/a.mrc'), 'utf8'), BYTES);
});

test('disposal: a new file of the same name is kept while the old one is moved to another file system', async (t) => {
  const to = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(to, { recursive: true }));
  const large = Buffer.alloc(64 * 1024 * 1024, 1);
  await writeFile(join(folder, 'in/sub/a.mrc'), large);
  stamp = (await statFile(join(folder, 'in/sub/a.mrc'))) as Stamp;
  const moving = run({ kind: 'move', to }, createHash('sha256').update(large).digest('hex'));
  await writeFile(join(folder, 'new.mrc'), 'the next one');
  while (!(await readdir(to, { recursive: true })).some((name) => name.endsWith('.part')))
    await new Promise(setImmediate);
  await rename(join(folder, 'new.mrc'), join(folder, 'in/sub/a.mrc'));
  assert.equal((await moving).kind, 'kept');
  assert.equal(await readFile(join(folder, 'in/sub/a.mrc'), 'utf8'), 'the next one');
});

test('disposal: a move to another file system that was killed after the copy is finished', async (t) => {
  const to = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(to, { recursive: true }));
  await mkdir(join(to, 'sub'));
  await writeFile(join(to, 'sub/a.mrc'), BYTES);
  assert.equal((await run({ kind: 'move', to })).kind, 'moved');
  assert.deepEqual(await readdir(join(folder, 'in/sub')), []);
  assert.equal(await readFile(join(to, 'sub/a.mrc'), 'utf8'), BYTES);
});

// Invariant 2
test('disposal: a file whose copy has other bytes is kept', async (t) => {
  const path = join(folder, 'in/sub/a.mrc');
  await utimes(path, 1000, 1000);
  stamp = (await statFile(path)) as Stamp;
  const elsewhere = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(elsewhere, { recursive: true }));
  const moving = {
    kind: 'move' as const,
    /** Asked for after the file was read: it changes, and nothing but its bytes says so. */
    get to() {
      writeFileSync(path, BYTES.toUpperCase());
      utimesSync(path, 1000, 1000);
      return elsewhere;
    },
  };
  assert.equal((await run(moving)).kind, 'kept');
  assert.equal(await readFile(path, 'utf8'), BYTES.toUpperCase());
  assert.deepEqual(await readdir(join(elsewhere, 'sub')), []);
});

test('disposal: a symbolic link at the target is not mistaken for the moved file', async () => {
  const to = join(folder, 'out');
  await mkdir(join(to, 'sub'), { recursive: true });
  await symlink(join(folder, 'in/sub/a.mrc'), join(to, 'sub/a.mrc'));
  assert.match(JSON.stringify(await run({ kind: 'move', to })), /"kept".*already exists/);
  assert.equal(await readFile(join(folder, 'in/sub/a.mrc'), 'utf8'), BYTES);
});

test('disposal: a changed file is restored without replacing a newer file of its name', async () => {
  const path = join(folder, 'in/sub/a.mrc');
  const takeAside = async (bytes: string) => {
    const aside = join(folder, 'in/sub/.a.mrc.gone');
    await writeFile(aside, bytes);
    return aside;
  };
  for (const count of [1, 2]) {
    const shown = join(folder, `in/sub/a (changed ${count}).mrc`);
    assert.deepEqual(await giveBack(await takeAside(`changed ${count}`), path), { kind: 'aside', aside: shown });
    assert.equal(await readFile(path, 'utf8'), BYTES);
    assert.equal(await readFile(shown, 'utf8'), `changed ${count}`);
  }
  await rm(path);
  assert.deepEqual(await giveBack(await takeAside('changed'), path), { kind: 'changed' });
  assert.equal(await readFile(path, 'utf8'), 'changed');
});

test('disposal: a move replaces no file', async (t) => {
  const elsewhere = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(elsewhere, { recursive: true }));
  for (const to of [join(folder, 'out'), elsewhere]) {
    await mkdir(join(to, 'sub'), { recursive: true });
    // Also one of the same size.
    for (const another of ['another', BYTES.toUpperCase()]) {
      await writeFile(join(to, 'sub/a.mrc'), another);
      assert.match(JSON.stringify(await run({ kind: 'move', to })), /"kept".*already exists/);
      assert.equal(await readFile(join(to, 'sub/a.mrc'), 'utf8'), another);
      assert.ok(await statFile(join(folder, 'in/sub/a.mrc')));
    }
  }
});

test('disposal: a file with a name of 255 bytes is moved to any file system, and deleted', async (t) => {
  const elsewhere = await mkdtemp(join(ELSEWHERE, 'cryolift-disposal-'));
  t.after(() => rm(elsewhere, { recursive: true }));
  const path = `${'x'.repeat(251)}.mrc`;
  for (const to of [join(folder, 'out'), elsewhere, null]) {
    await writeFile(join(folder, 'in', path), BYTES);
    stamp = (await statFile(join(folder, 'in', path))) as Stamp;
    const disposed = await run(to === null ? { kind: 'delete' } : { kind: 'move', to }, SHA256, path);
    assert.equal(disposed.kind, to === null ? 'deleted' : 'moved');
    if (to !== null) assert.equal(await readFile(join(to, path), 'utf8'), BYTES);
    assert.deepEqual(await readdir(join(folder, 'in')), ['sub']);
  }
});
