/** Tokens that the command line signs: which servers receive them, and their scopes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { decodeJwt } from 'jose';
import { TestBench } from '../testing/test-process.ts';
import { open } from './connection.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_ACCEPT: 'bin' });
  await writeFile(bench.path('a.bin'), 'abc');
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** Another program on a port of this machine. @returns its URL and the requests that it received. */
async function listen(context: TestContext, answer: RequestListener) {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const COMMANDS = [['ls'], ['upload', 'a.bin'], ['rm', 'x'], ['admin', 'sweep'], ['link'], ['doctor'], ['events', 'x']];

test('own token: another program on a port of this machine receives no token', async (context) => {
  const other = await listen(context, (_request, response) => {
    response.setHeader('content-type', 'application/json').setHeader('cryolift-proof', 'a'.repeat(64));
    response.end('{"status":"ok"}');
  });
  for (const args of COMMANDS) {
    const { code, stderr, stdout } = await bench.run(args, { CRYOLIFT_SERVER: other.url, CRYOLIFT_TOKEN: '' });
    assert.equal(code, 3, `${args}: ${stdout}${stderr}`);
  }
  const sent = other.requests.filter(({ authorization }) => authorization !== undefined);
  assert.deepEqual(
    // Requests of doctor without a token are marked.
    sent.filter(({ authorization }) => authorization !== 'Bearer none'),
    [],
  );
  assert.ok(other.requests.length >= COMMANDS.length);
});

test('own token: a relay that passes the challenge on to the server receives no token', async (context) => {
  const relay = await listen(context, async (request, response) => {
    const headers = Object.entries(request.headers).filter(([name]) => name.startsWith('cryolift-'));
    const answer = await fetch(bench.url + request.url, {
      headers: Object.fromEntries(headers) as Record<string, string>,
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  const { code, stderr } = await bench.run(['ls'], { CRYOLIFT_SERVER: relay.url, CRYOLIFT_TOKEN: '' });
  assert.equal(code, 3);
  assert.match(stderr, /does not have the secret of this data folder/);
  assert.deepEqual(relay.requests, [{ path: '/healthz', authorization: undefined }]);
});

test('own token: has only the scopes of the command, for minutes', async () => {
  const before = { ...process.env };
  process.env.CRYOLIFT_DATA_DIR = bench.path('data');
  delete process.env.CRYOLIFT_TOKEN;
  try {
    const { getToken } = open({ server: bench.url }, 'files:read');
    const { scope, iat = 0, exp = 0 } = decodeJwt(await getToken(false));
    assert.equal(scope, 'files:read');
    assert.equal(exp - iat, 300);
  } finally {
    process.env = before;
  }
});

test('own token: every command has the scopes that it needs', async () => {
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await bench.run(args);
    assert.equal(code, 0, `${args}: ${stdout}${stderr}`);
    return stdout;
  };
  await ok('upload', '--json', 'a.bin');
  // The second run reads the record of the file.
  const again = await ok('upload', '--json', 'a.bin');
  const fileId = /"file_id":"(\w+)"/.exec(again)?.[1] ?? '';
  const uploadId = /"upload_id":"(\w+)"/.exec(await ok('ls', '--json'))?.[1] ?? '';
  await ok('status', uploadId);
  await ok('events', uploadId, '--after', '0');
  await ok('verify', 'a.bin', fileId);
  await ok('download', fileId, '-o', 'b.bin');
  await ok('link');
  await ok('doctor');
  await ok('admin', 'sweep');
  await ok('admin', 'sessions');
  await ok('admin', 'deliveries');
  await ok('admin', 'scrub');
  await ok('rm', fileId);
});
