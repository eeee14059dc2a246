/** Servers whose tokens are signed with a private key that they do not have: RS256, ES256, EdDSA. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type OwnServer, type Settings, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { signToken, toPayload } from '../token.ts';
import { type Answer, callWith } from '../wire.ts';

const folder = await mkdtemp(join(tmpdir(), 'cryolift-keys-'));
after(() => rm(folder, { recursive: true }));

const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;
const ALGORITHMS = Object.keys(PAIRS) as (keyof typeof PAIRS)[];

function toPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

async function withServer(settings: Settings, use: (server: OwnServer) => Promise<void>): Promise<void> {
  const server = await startServer({ CRYOLIFT_JWT_SECRET: '', ...settings });
  await use(server).finally(() => server.discard());
}

async function ask(server: OwnServer, token: string): Promise<Answer> {
  return await callWith(server, { authorization: `Bearer ${token}` })('GET', '/uploads');
}

for (const algorithm of ALGORITHMS) {
  test(`${algorithm}: tokens of its own key, and no others`, async () => {
    const { publicKey, privateKey } = PAIRS[algorithm];
    const pem = toPem(publicKey);
    await withServer({ CRYOLIFT_JWT_PUBLIC_KEY: pem }, async (server) => {
      assert.equal((await ask(server, signToken(toPayload(), algorithm, privateKey))).status, 200);
      assertFailure(
        await ask(server, signToken(toPayload({ ttlSeconds: -99 }), algorithm, privateKey)),
        'token_expired',
      );
      const otherKey = generateKeyPairSync('ed25519').privateKey;
      const wrong = [
        signToken(toPayload(), 'none', ''),
        signToken(toPayload(), 'EdDSA', otherKey),
        // The confusion of algorithms: the public key, which anybody may know, taken for a shared secret.
        ...[pem, pem.trim(), pem.replaceAll('\n', '')].map((secret) => signToken(toPayload(), 'HS256', secret)),
        ...ALGORITHMS.filter((other) => other !== algorithm).map((other) =>
          signToken(toPayload(), other, PAIRS[other].privateKey),
        ),
      ];
      for (const token of wrong) assertFailure(await ask(server, token), 'unauthenticated');
    });
  });
}

test('keys: the key may lie in a file; issuer and audience are checked when they are set', async () => {
  const path = join(folder, 'public.pem');
  await writeFile(path, toPem(PAIRS.ES256.publicKey));
  const settings = {
    CRYOLIFT_JWT_PUBLIC_KEY: path,
    CRYOLIFT_JWT_ISSUER: 'https://login.example.org',
    CRYOLIFT_JWT_AUDIENCE: 'cryolift',
  };
  await withServer(settings, async (server) => {
    const iss = settings.CRYOLIFT_JWT_ISSUER;
    const sign = (claims: Parameters<typeof toPayload>[0]) =>
      signToken(toPayload(claims), 'ES256', PAIRS.ES256.privateKey);
    for (const aud of ['cryolift', ['other', 'cryolift']]) {
      assert.equal((await ask(server, sign({ iss, aud }))).status, 200);
    }
    for (const claims of [
      {},
      { iss },
      { aud: 'cryolift' },
      { iss: `${iss}/`, aud: 'cryolift' },
      { iss, aud: 'other' },
    ]) {
      assertFailure(await ask(server, sign(claims)), 'unauthenticated');
    }
  });
});

test('keys: keys that are published at a URL (JWKS): the one that the token names', async () => {
  const keys = ALGORITHMS.map((alg) => ({
    ...PAIRS[alg].publicKey.export({ format: 'jwk' }),
    kid: alg,
    alg,
    use: 'sig',
  }));
  const publisher = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/keys`;
  await withServer({ CRYOLIFT_JWKS_URL: url }, async (server) => {
    for (const algorithm of ALGORITHMS) {
      assert.equal((await ask(server, signToken(toPayload(), algorithm, PAIRS[algorithm].privateKey))).status, 200);
    }
    const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    assertFailure(await ask(server, signToken(toPayload(), 'ES256', otherKey)), 'unauthenticated');
    assertFailure(await ask(server, signToken(toPayload(), 'HS256', toPem(PAIRS.RS256.publicKey))), 'unauthenticated');
  });
  publisher.close();
});
