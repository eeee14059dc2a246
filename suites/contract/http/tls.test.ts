/** TLS by the server itself: what it speaks, and a certificate that is renewed while it runs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { makeCertificate } from '../../certificate.ts';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, sha256Hex } from '../sample.ts';
import { cutPart, eventually, openSample, PART_BYTES, partPath, readUploadRecord } from '../upload.ts';
import { type Call, Connection, callWith, printHead } from '../wire.ts';

const folder = await mkdtemp(join(tmpdir(), 'cryolift-tls-'));
const first = makeCertificate(folder, 'first');
const second = makeCertificate(folder, 'second');
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
await cp(first.cert, cert);
await cp(first.key, key);
const server = await startServer({ CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key });
after(async () => {
  await server.discard();
  await rm(folder, { recursive: true });
});
const authorization = `Bearer ${server.token()}`;

/** Calls on a connection that is there already. */
function callOver(connection: Connection): Call {
  return (method, path, extra = {}) => {
    return connection.exchange(method, path, { ...extra, headers: { authorization, ...extra.headers } });
  };
}

test('tls: TLS 1.2 and 1.3, HTTP/1.1, and nothing older', async () => {
  const { port } = new URL(server.url);
  const shake = async (version: SecureVersion): Promise<TLSSocket> => {
    const versions = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const socket = connect({
      ...versions,
      port: Number(port),
      host: '127.0.0.1',
      ca: first.pem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await once(socket, 'secureConnect');
    socket.destroy();
    return socket;
  };
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) assert.equal((await shake(version)).alpnProtocol, 'http/1.1');
  await assert.rejects(shake('TLSv1.1'), /version|protocol/i);
});

test('tls: only a server with TLS sends Strict-Transport-Security', async () => {
  const connection = await Connection.open(server.url, first.pem);
  const answers = [await connection.exchange('GET', '/'), await connection.exchange('GET', '/files')];
  for (const { headers } of answers) assert.equal(headers['strict-transport-security'], 'max-age=31536000');
  connection.close();
  const plain = await startServer();
  const { headers } = await callWith(plain, {})('GET', '/', { headers: { 'x-forwarded-proto': 'https' } });
  assert.equal(headers['strict-transport-security'], undefined);
  await plain.discard();
});

test('tls: a refusal that closes the connection comes whole', async () => {
  const connection = await Connection.open(server.url, first.pem);
  const body = Buffer.alloc(8 * 1024 * 1024);
  const head = printHead('PUT', '/uploads/none/part/0', { connection: 'close', 'content-length': String(body.length) });
  await connection.sendUnread(Buffer.concat([Buffer.from(head), body]));
  assertFailure(await connection.answer(), 'unauthenticated');
  assert.equal(await connection.closed(), 'ended');
});

test('tls: a session is resumed', async () => {
  const { port } = new URL(server.url);
  const open = (session?: Buffer) =>
    connect({ port: Number(port), host: '127.0.0.1', ca: first.pem, ...(session ? { session } : {}) });
  const one = open();
  one.write(printHead('GET', '/healthz'));
  const [session] = (await once(one, 'session')) as [Buffer];
  one.destroy();
  const two = open(session);
  two.write(printHead('GET', '/healthz'));
  const [answer] = (await once(two, 'data')) as [Buffer];
  assert.match(String(answer), /^HTTP\/1\.1 200 /);
  assert.equal(two.isSessionReused(), true);
  two.destroy();
});

test('tls: keys that are renewed within a body change nothing', async () => {
  const connection = await Connection.open(server.url, first.pem);
  const { upload, bytes } = await openSample(callOver(connection));
  connection.close();
  const part = Buffer.alloc(PART_BYTES, 'x');
  const { port } = new URL(server.url);
  // openssl: a line of K sends a KeyUpdate (RFC 8446 section 4.6.3) and asks for one. No other piece begins with it.
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`], { stdio: 'pipe' });
  let output = '';
  for (const stream of [client.stdout, client.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += text;
    });
  }
  const head = printHead('PUT', partPath(upload, 1), { authorization, 'content-length': String(PART_BYTES) });
  for (const piece of [
    head,
    part.subarray(0, 20_000),
    'K\n',
    part.subarray(20_000, 50_000),
    'K\n',
    part.subarray(50_000),
  ]) {
    client.stdin.write(piece);
    await sleep(200);
  }
  await eventually(
    async () => output,
    (text) => /"sha256":"[0-9a-f]{64}"/.test(text),
  );
  client.kill();
  assert.match(output, /KEYUPDATE/);
  assert.match(output, /HTTP\/1\.1 201 /);
  assert.ok(output.includes(sha256Hex(part)));
  assert.ok(bytes.length > PART_BYTES);
});

test('a new certificate by SIGHUP: for new connections, and an upload goes on', async () => {
  const old = await Connection.open(server.url, first.pem);
  const call = callOver(old);
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 1);
  const headers = { authorization, 'content-length': String(PART_BYTES), 'content-digest': digestHeader(part) };
  const uploading = await Connection.open(server.url, first.pem);
  uploading.send(printHead('PUT', partPath(upload, 1), { ...headers, expect: '100-continue' }));
  assert.equal((await uploading.answer()).status, 100);
  uploading.send(part.subarray(0, PART_BYTES / 2));

  await cp(second.cert, cert);
  await cp(second.key, key);
  server.signal('SIGHUP');
  await logged(/"valid_to":"20[^"]+".*certificate renewed/);
  await assert.rejects(Connection.open(server.url, first.pem), /self.signed/i);
  const fresh = await Connection.open(server.url, second.pem);
  uploading.send(part.subarray(PART_BYTES / 2));
  assert.equal((await uploading.answer()).status, 201);
  assert.equal((await readUploadRecord(call, upload)).received_parts, 1);
  assert.equal((await readUploadRecord(callOver(fresh), upload)).received_parts, 1);
  for (const connection of [old, uploading, fresh]) connection.close();
});

test('tls: a new pair that does not work leaves the old one, and one line says why', async () => {
  const bad: readonly (readonly [path: string, text: string, said: RegExp])[] = [
    [key, 'no key', /CRYOLIFT_TLS_CERT: does not work with CRYOLIFT_TLS_KEY/],
    [cert, first.pem, /CRYOLIFT_TLS_CERT: does not work with CRYOLIFT_TLS_KEY/],
  ];
  for (const [path, text, said] of bad) {
    const before = server.stderr.length;
    await writeFile(path, text);
    server.signal('SIGHUP');
    await logged(said, before);
    const lines = server.stderr.slice(before).trim().split('\n');
    assert.equal(lines.filter((line) => line.includes('not renewed')).length, 1);
    assert.ok(!server.stderr.includes('PRIVATE'));
    const connection = await Connection.open(server.url, second.pem);
    assert.equal((await connection.exchange('GET', '/healthz')).status, 200);
    connection.close();
  }
  const before = server.stderr.length;
  await rm(cert);
  server.signal('SIGHUP');
  await logged(/CRYOLIFT_TLS_CERT: .* cannot be read \(ENOENT\)/, before);
  assert.equal(await server.stop(), 0);
});

async function logged(line: RegExp, from = 0): Promise<void> {
  await eventually(
    async () => server.stderr.slice(from),
    (text) => line.test(text),
  );
}
