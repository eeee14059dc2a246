/** A server that listens on a unix socket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificate } from '../../certificate.ts';
import { startServer } from '../../server-under-test.ts';

const folder = await mkdtemp(join(tmpdir(), 'cryolift-socket-'));
after(() => rm(folder, { recursive: true }));

async function ask(socketPath: string, path: string): Promise<number | undefined> {
  const asked = request({ socketPath, path, agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

test('socket: the server answers there, for its user and its group, on both paths', async () => {
  for (const fast of ['true', 'false']) {
    const path = join(folder, `${fast}.sock`);
    const server = await startServer({ CRYOLIFT_SOCKET: path, CRYOLIFT_FAST_LANE: fast });
    assert.equal(server.url, `unix:${path}`);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    assert.equal(await ask(path, '/readyz'), 200);
    assert.equal(await ask(path, '/files'), 401);
    assert.equal(await server.stop(), 0);
    assert.equal(existsSync(path), false);
    await server.discard();
  }
});

test('socket: what a killed server has left is replaced; anything else is not', async () => {
  const path = join(folder, 'left.sock');
  const server = await startServer({ CRYOLIFT_SOCKET: path });
  await assert.rejects(startServer({ CRYOLIFT_SOCKET: path }), /CRYOLIFT_SOCKET: another program is listening/);
  assert.equal(await ask(path, '/readyz'), 200);
  await server.kill9();
  assert.equal(existsSync(path), true);
  await server.restart();
  assert.equal(await ask(path, '/readyz'), 200);
  await server.discard();

  const file = join(folder, 'file');
  await writeFile(file, 'mine');
  await assert.rejects(startServer({ CRYOLIFT_SOCKET: file }), /CRYOLIFT_SOCKET: .* is no socket/);
  await assert.rejects(startServer({ CRYOLIFT_SOCKET: join(folder, 'none', 'a.sock') }), /cannot listen on .*a\.sock/);
  await assert.rejects(
    startServer({ CRYOLIFT_SOCKET: join(file, 'a.sock') }),
    /CRYOLIFT_SOCKET: cannot use .* \(ENOTDIR\)/,
  );
  const { cert, key } = makeCertificate(folder, 'localhost');
  const tls = { CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key };
  await assert.rejects(
    startServer({ CRYOLIFT_SOCKET: join(folder, 'tls.sock'), ...tls }),
    /CRYOLIFT_SOCKET: has no TLS/,
  );
});
