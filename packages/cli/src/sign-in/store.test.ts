import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SignInRecord } from './record.ts';
import { SignInStore } from './store.ts';

const SERVER = 'https://lift.example.org';

function makeRecord(refreshToken: string, server = SERVER): SignInRecord {
  return {
    server,
    signIn: { issuer: 'https://id.example.org', client_id: 'cryolift', scope: 'openid', audience: null },
    sub: 'ada',
    name: 'Ada',
    tokens: {
      accessToken: `for ${refreshToken}`,
      refreshToken,
      scope: null,
      lifeSeconds: 300,
      refreshLifeSeconds: null,
      receivedMs: 1,
    },
  };
}

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-store-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'sign-in');
}

async function save(store: SignInStore, record: SignInRecord): Promise<void> {
  await (await store.prepare()).commit(record);
}

test('store: keeps one sign-in for each server, for the user alone', async (context) => {
  const folder = makeFolder(context);
  const store = new SignInStore(SERVER, folder);
  assert.deepEqual([await store.isThere(), await store.read()], [false, null]);
  await save(store, makeRecord('first'));
  await save(store, makeRecord('second'));
  const other = new SignInStore('https://other.example.org', folder);
  assert.equal(await other.read(), null);
  await save(other, makeRecord('third', 'https://other.example.org'));
  assert.deepEqual(await new SignInStore(SERVER, folder).read(), makeRecord('second'));
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  assert.equal(readdirSync(folder).length, 2);
  await store.remove();
  assert.equal(await store.isThere(), false);
  assert.equal(await other.isThere(), true);
});

test('store: what was prepared and not committed changes nothing', async (context) => {
  const folder = makeFolder(context);
  const store = new SignInStore(SERVER, folder);
  await save(store, makeRecord('first'));
  await (await store.prepare()).discard();
  assert.deepEqual(await store.read(), makeRecord('first'));
  assert.equal(readdirSync(folder).length, 1);
});

test('store: a lock is waited for', async (context) => {
  const folder = makeFolder(context);
  const unlock = await new SignInStore(SERVER, folder).lock();
  let isLocked = true;
  const second = new SignInStore(SERVER, folder).lock().then((release) => {
    assert.equal(isLocked, false);
    release();
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  isLocked = false;
  unlock();
  await second;
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

test('store: on a full disk nothing is prepared, and what was prepared before it was full is committed', {
  skip: canMount ? false : 'needs root, to mount a small file system',
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'cryolift-test', folder]);
  context.after(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  const store = new SignInStore(SERVER, join(folder, 'sign-in'));
  await save(store, makeRecord('first'));
  const place = await store.prepare();
  assert.throws(() => writeFileSync(join(folder, 'full'), Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' });
  await place.commit(makeRecord('second'));
  assert.deepEqual(await store.read(), makeRecord('second'));
  assert.throws(() => writeFileSync(join(folder, 'full'), Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' });
  await assert.rejects(store.prepare(), { code: 'ENOSPC' });
  assert.deepEqual(await store.read(), makeRecord('second'));
});
