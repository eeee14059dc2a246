import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../db/test-rows.ts';
import { openSecretFile, readOrMakeSecret } from './secret.ts';

test('secret: the token secret is generated once, with private mode', async (t) => {
  const folder = await makeFolder(t);
  const secret = await readOrMakeSecret(folder);
  assert.equal(Buffer.from(secret, 'base64url').length, 32);
  assert.equal(await readOrMakeSecret(folder), secret);
  assert.deepEqual(await readdir(folder), ['jwt-secret']);
  assert.equal((await stat(join(folder, 'jwt-secret'))).mode & 0o777, 0o600);
});

test('secret: a secret file is flushed, private, and replaced atomically', async (t) => {
  const folder = await makeFolder(t);
  const file = openSecretFile(folder, 'keys');
  assert.equal(await file.read(), null);
  for (const text of ['one', 'two']) {
    await file.replace(text, null);
    assert.equal(await file.read(), text);
  }
  assert.deepEqual(await readdir(folder), ['keys']);
  assert.equal((await stat(join(folder, 'keys'))).mode & 0o777, 0o600);
});

test('secret: what a crash has left of a draft is replaced, and does not lend its mode', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'jwt-secret.new'), 'half', { mode: 0o644 });
  await readOrMakeSecret(folder);
  assert.deepEqual(await readdir(folder), ['jwt-secret']);
  assert.equal((await stat(join(folder, 'jwt-secret'))).mode & 0o777, 0o600);
});
