import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lockFolder } from './lock.ts';
import { makeFolder } from './test-rows.ts';

/** Another process that has taken the lock. */
async function lockElsewhere(context: TestContext, path: string) {
  const program = `
    import { lockFolder } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
    process.stdout.write(lockFolder(${JSON.stringify(path)}) ? 'taken' : 'refused');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(String(said), 'taken');
  return child;
}

test('a folder is one process alone, and free once that is killed', async (context) => {
  const path = join(await makeFolder(context), 'lock');
  const holder = await lockElsewhere(context, path);
  assert.equal(lockFolder(path), null);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const unlock = lockFolder(path);
  assert.ok(unlock);
  unlock();
});

test('a folder can be given free and taken again', async (context) => {
  const path = join(await makeFolder(context), 'lock');
  const unlock = lockFolder(path);
  assert.ok(unlock);
  assert.equal(lockFolder(path), null);
  unlock();
  (await lockElsewhere(context, path)).kill('SIGKILL');
});

test('a folder that is not there is an error, not a lock that another has', async (context) => {
  assert.throws(() => lockFolder(join(context.name, 'nowhere', 'lock')));
});
