import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lockFolder } from './folder-lock.ts';

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-lock-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Another process that holds the lock. */
async function lockElsewhere(t: TestContext, path: string) {
  const program = `
    import { lockFolder } from ${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)};
    process.stdout.write(lockFolder(${JSON.stringify(path)}) ? 'taken' : 'refused');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(String(said), 'taken');
  return child;
}

test('folder lock: one process holds it, and a kill releases it', async (t) => {
  const path = join(await makeFolder(t), 'lock');
  const holder = await lockElsewhere(t, path);
  assert.equal(lockFolder(path), null);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const unlock = lockFolder(path);
  assert.ok(unlock);
  unlock();
});

test('folder lock: it can be released and taken again', async (t) => {
  const path = join(await makeFolder(t), 'lock');
  const unlock = lockFolder(path);
  assert.ok(unlock);
  assert.equal(lockFolder(path), null);
  unlock();
  (await lockElsewhere(t, path)).kill('SIGKILL');
});

test('folder lock: a missing folder is an error', async (t) => {
  assert.throws(() => lockFolder(join(t.name, 'nowhere', 'lock')));
});
