import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isFolderLocked, lockFolder } from './folder-lock.ts';

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

test('folder lock: others see whether it is held, also where they may only read, and do not take it', async (t) => {
  const path = join(await makeFolder(t), 'lock');
  assert.equal(isFolderLocked(path), false, 'there is no file yet');
  const holder = await lockElsewhere(t, path);
  assert.equal(isFolderLocked(path), true);
  await chmod(dirname(path), 0o755);
  await chmod(path, 0o444);
  const program = `
    import { isFolderLocked } from ${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)};
    process.stdout.write(String(isFolderLocked(${JSON.stringify(path)})));`;
  const asUser = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : ['env'];
  const look = () =>
    execFileSync(asUser[0] as string, [...asUser.slice(1), process.execPath, '--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
  assert.equal(look(), 'true');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.equal(look(), 'false');
  assert.equal(isFolderLocked(path), false);
  const unlock = lockFolder(path);
  assert.ok(unlock);
  unlock();
});

test('folder lock: a missing folder is an error', async (t) => {
  assert.throws(() => lockFolder(join(t.name, 'nowhere', 'lock')));
});
