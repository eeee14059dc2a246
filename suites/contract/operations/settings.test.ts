/** Starting: what a server refuses to run with, and what it says when it does run. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Limits } from '@cryolift/protocol/messages';
import { makeCertificate } from '../../certificate.ts';
import { runServe, type Settings, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { eventually } from '../upload.ts';
import { Connection, callWith } from '../wire.ts';

const folder = await mkdtemp(join(tmpdir(), 'cryolift-settings-'));
after(() => rm(folder, { recursive: true }));
const BASE: Settings = {
  CRYOLIFT_PORT: '0',
  CRYOLIFT_DATA_DIR: join(folder, 'data'),
  CRYOLIFT_JWT_SECRET: 'x'.repeat(32),
};

/** Asserts that `serve` ends with one line that names what is wrong. */
async function assertRefused(name: RegExp, settings: Settings, flags: readonly string[] = []): Promise<void> {
  const { code, stdout, stderr } = await runServe({ ...BASE, ...settings }, flags);
  assert.ok(code !== null && code > 0, `exit code ${code}`);
  assert.equal(stdout, '');
  assert.match(stderr, /^[^\n]+\n$/, 'one line');
  assert.match(stderr, name);
}

for (const [name, value] of [
  ['CRYOLIFT_PORT', '65536'],
  ['CRYOLIFT_PART_SIZE', '8 parsecs'],
  ['CRYOLIFT_SESSION_TTL', 'soon'],
  ['CRYOLIFT_RATE_LIMIT', '0'],
  ['CRYOLIFT_TRUST_PROXY', 'maybe'],
  ['CRYOLIFT_STORAGE_URL', 'ftp://example.org/'],
  ['CRYOLIFT_JWT_PUBLIC_KEY', '/nonexistent/key.pem'],
  ['CRYOLIFT_PART_SZE', '8MiB'],
] as const) {
  test(`settings: ${name}=${value} stops the start, and the message names it`, async () => {
    await assertRefused(new RegExp(`\\b${name}\\b`), { [name]: value });
  });
}

test('settings: bad and unknown flags stop the start, too', async () => {
  await assertRefused(/CRYOLIFT_PORT|--port/, {}, ['--port', 'x']);
  await assertRefused(/--colour/, {}, ['--colour', 'red']);
});

test('settings: flags win over the environment', async () => {
  const server = await startServer({ CRYOLIFT_PART_SIZE: '1MiB', CRYOLIFT_SESSION_TTL: '1h' }, ['--part-size', '2MiB']);
  const { part_size, session_ttl_seconds } = (await callWith(server, {})('GET', '/limits')).json<Limits>();
  assert.deepEqual([part_size, session_ttl_seconds], [2 * 1024 * 1024, 3600]);
  await server.discard();
});

test('settings: bound elsewhere than to this machine: not without a key, and not without TLS unless a proxy ends it', async () => {
  await assertRefused(/KEY|SECRET/, { CRYOLIFT_HOST: '::', CRYOLIFT_JWT_SECRET: '', CRYOLIFT_TRUST_PROXY: 'true' });
  await assertRefused(/TLS/, { CRYOLIFT_HOST: '0.0.0.0' });
  const server = await startServer({ CRYOLIFT_HOST: '0.0.0.0', CRYOLIFT_TRUST_PROXY: 'true' });
  assert.equal((await callWith(server, {})('GET', '/healthz')).status, 200);
  await server.discard();
});

test('settings: on this machine and without a key it makes a secret and prints a link, whose token works also after a restart', async () => {
  const server = await startServer({ CRYOLIFT_JWT_SECRET: '' });
  const readToken = async (starts: number) => {
    const links = () => [...server.stdout.matchAll(/^open (http:\S+)\/#token=(\S+)\n/gm)];
    const [, url, token = ''] =
      (
        await eventually(
          async () => links(),
          ({ length }) => length === starts,
        )
      ).at(-1) ?? [];
    assert.equal(url, server.url);
    return token;
  };
  const ask = (token: string) => callWith(server, { authorization: `Bearer ${token}` })('GET', '/files');
  const first = await readToken(1);
  assert.match(server.stdout, /^cryolift listening on \S+\nopen \S+\n$/);
  assert.equal((await ask(first)).status, 200);
  assertFailure(await callWith(server, {})('GET', '/files'), 'unauthenticated');
  assert.equal(await server.stop(), 0);
  await server.restart();
  assert.equal((await ask(first)).status, 200);
  assert.equal((await ask(await readToken(2))).status, 200);
  assert.ok(!server.stderr.includes(first), 'the token is not logged');
  await server.discard();
});

test('settings: with a key it prints one line and nothing else', async () => {
  const server = await startServer();
  assert.match(server.stdout, /^cryolift listening on http:\/\/127\.0\.0\.1:\d+\n$/);
  await server.discard();
});

test('settings: TLS', async () => {
  const { cert, key, pem } = makeCertificate(folder, 'own');
  await assertRefused(/CRYOLIFT_TLS_KEY/, { CRYOLIFT_TLS_CERT: cert });
  const server = await startServer({ CRYOLIFT_HOST: '0.0.0.0', CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key });
  assert.match(server.url, /^https:/);
  const url = server.url.replace('0.0.0.0', '127.0.0.1');
  const connection = await Connection.open(url, pem);
  assert.equal((await connection.exchange('GET', '/healthz')).status, 200);
  connection.close();
  await assert.rejects(Connection.open(url), /self.signed/i);
  const plain = await Connection.open(url.replace('https:', 'http:'));
  await assert.rejects(plain.exchange('GET', '/healthz'));
  plain.close();
  assert.equal(await server.stop(), 0);
  await server.discard();
});

test('settings: a certificate that is none', async () => {
  const path = join(folder, 'none.pem');
  await writeFile(path, 'no certificate');
  await assertRefused(/CRYOLIFT_TLS_(CERT|KEY)/, { CRYOLIFT_TLS_CERT: path, CRYOLIFT_TLS_KEY: path });
});

test('settings: one server to a data folder, and the lock dies with its process', async () => {
  const server = await startServer();
  await assertRefused(/DATA_DIR|data folder/, { CRYOLIFT_DATA_DIR: server.dataDir });
  assert.equal((await callWith(server, {})('GET', '/readyz')).status, 200);
  await server.kill9();
  await server.restart();
  await server.discard();
});

test('settings: a port that is taken', async () => {
  const server = await startServer();
  await assertRefused(/CRYOLIFT_PORT/, { CRYOLIFT_PORT: new URL(server.url).port });
  await server.discard();
});

test('settings: a data folder that cannot be one', async () => {
  await writeFile(join(folder, 'file'), '');
  await assertRefused(/CRYOLIFT_DATA_DIR/, { CRYOLIFT_DATA_DIR: join(folder, 'file') });
});

test('settings: what lies in the data folder is for its owner only', async () => {
  const server = await startServer({ CRYOLIFT_JWT_SECRET: '', CRYOLIFT_DATA_DIR: join(folder, 'private') });
  assert.equal((await stat(server.dataDir)).mode & 0o007, 0);
  await server.discard();
});
