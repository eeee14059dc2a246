import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFolder } from '../db/test-rows.ts';
import { names, read } from './test-settings.ts';

const HOST_KEY = `SHA256:${'a'.repeat(43)}`;

async function write(t: TestContext, entries: unknown) {
  const folder = await makeFolder(t);
  const path = join(folder, 'destinations.json');
  writeFileSync(join(folder, 'secret'), 'only-for-tests\n');
  writeFileSync(path, typeof entries === 'string' ? entries : JSON.stringify(entries));
  return path;
}

test('destinations: each kind is read, with secrets from files beside', async (t) => {
  const path = await write(t, {
    archive: { kind: 'cryolift', url: 'https://archive.example/', token_file: 'secret', owners: ['ada'] },
    vault: { kind: 's3', url: 's3://em-vault/in?region=eu-1' },
    tape: { kind: 'sftp', url: 'sftp://robot@tape.example:2222/a/b/', password_file: 'secret', host_key: HOST_KEY },
    cloud: { kind: 'webdav', url: 'https://cloud.example/dav/', user: 'robot', password: 'x' },
  });
  const [archive, vault, tape, cloud] = read('DESTINATIONS', path).destinations;
  assert.deepEqual(archive, {
    ...{ name: 'archive', kind: 'cryolift', url: 'https://archive.example', owners: ['ada'] },
    token: 'only-for-tests',
  });
  assert.deepEqual(vault, {
    ...{ name: 'vault', kind: 's3', url: 's3://em-vault/in', owners: null, bucket: 'em-vault', prefix: 'in' },
    ...{ endpoint: null, region: 'eu-1', pathStyle: false, credentials: null },
  });
  assert.ok(tape?.kind === 'sftp');
  assert.deepEqual([tape.host, tape.port, tape.user, tape.folder], ['tape.example', 2222, 'robot', '/a/b']);
  assert.equal(tape.password, 'only-for-tests');
  assert.ok(cloud?.kind === 'webdav');
  assert.equal(cloud.url, 'https://cloud.example/dav');
});

test('destinations: a wrong file is refused with what is wrong, and without secrets', async (t) => {
  const wrong: [unknown, RegExp][] = [
    ['{"archive": {"token": "hidden"', /is not JSON/],
    [[], /is not a JSON object/],
    [{ 'A B': {} }, /small letters/],
    [{ a: { kind: 'ftp', url: 'ftp://x' } }, /kind/],
    [{ a: { kind: 'cryolift', url: 'https://a.example' } }, /needs token/],
    [{ a: { kind: 'cryolift', url: 'http://a.example', token: 'hidden' } }, /must begin with https:/],
    [{ a: { kind: 'cryolift', url: 'https://u:hidden@a.example', token: 'hidden' } }, /must not contain a user/],
    [
      { a: { kind: 'cryolift', url: 'https://a.example', token: 'hidden', token_file: 'secret' } },
      /token and token_file/,
    ],
    [{ a: { kind: 'cryolift', url: 'https://a.example', token_file: 'nowhere' } }, /cannot be read/],
    [{ a: { kind: 's3', url: 's3://em-vault', access_key_id: 'x' } }, /or neither/],
    [{ a: { kind: 's3', url: 'https://em-vault' } }, /is not a URL like s3:/],
    [{ a: { kind: 'sftp', url: 'sftp://u@h/x', password: 'hidden' } }, /needs host_key/],
    [{ a: { kind: 'sftp', url: 'sftp://h/x', password: 'hidden', host_key: HOST_KEY } }, /needs user/],
    [{ a: { kind: 'sftp', url: 'sftp://u@h/x', host_key: HOST_KEY } }, /needs private_key_file/],
    [{ a: { kind: 'webdav', url: 'https://h/x', host_key: HOST_KEY } }, /webdav has no host_key/],
  ];
  for (const [entries, message] of wrong) {
    const path = await write(t, entries);
    assert.throws(() => read('DESTINATIONS', path), names('CRYOLIFT_DESTINATIONS'));
    assert.throws(
      () => read('DESTINATIONS', path),
      (error: Error) => message.test(error.message) && !error.message.includes('hidden'),
      JSON.stringify(entries),
    );
  }
});
