/** Tokens of an identity provider, found by discovery; and those that somebody made who should not have. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { assertFailure } from '../contract/failure.ts';
import { type Answer, Connection, callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEYS = { RS256: rsa, ES256: ec, EdDSA: ed } as const;

/** A provider as Keycloak or Entra are, as far as we ask. */
class Provider {
  requests = 0;
  keys: object[] = Object.entries(KEYS).map(([alg, { publicKey }]) => toJwk(publicKey, alg));
  #server: Server | null = null;
  issuer = '';

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.requests++;
      const { issuer } = this;
      const body = request.url === '/keys' ? { keys: this.keys } : { issuer, jwks_uri: `${issuer}/keys` };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

function toJwk(key: KeyObject, alg: string): object {
  return { ...key.export({ format: 'jwk' }), kid: `${alg}-1`, alg, use: 'sig' };
}

const provider = new Provider();
await provider.start();
after(() => provider.stop());
const server = await startServer({
  CRYOLIFT_JWT_SECRET: '',
  CRYOLIFT_OIDC_ISSUER: provider.issuer,
  CRYOLIFT_JWT_AUDIENCE: 'cryolift',
  CRYOLIFT_REVOKED_KEYS: 'RS256-0',
});
after(() => server.discard());

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);
const good = () => ({
  sub: 'ada',
  iss: provider.issuer,
  aud: 'cryolift',
  scope: 'uploads:write',
  iat: now(),
  exp: now() + 600,
});

/** By hand, so that everything in it can lie. */
function make(alg: string, key: KeyObject | string | null, claims: object = {}, header: object = {}): string {
  const signed = `${encode({ alg, kid: `${alg}-1`, ...header })}.${encode({ ...good(), ...claims })}`;
  return `${signed}.${signBytes(alg, key, Buffer.from(signed)).toString('base64url')}`;
}

function signBytes(alg: string, key: KeyObject | string | null, bytes: Buffer): Buffer {
  if (key === null) return Buffer.alloc(0);
  if (typeof key === 'string') return createHmac('sha256', key).update(bytes).digest();
  if (alg === 'ES256') return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
  return sign(alg === 'EdDSA' ? null : 'sha256', bytes, key);
}

async function ask(authorization: string): Promise<Answer> {
  return await callWith(server, { authorization })('GET', '/uploads');
}

for (const [alg, { privateKey }] of Object.entries(KEYS)) {
  test(`${alg}: a token of the provider is taken`, async () => {
    assert.equal((await ask(`Bearer ${make(alg, privateKey)}`)).status, 200);
  });
}

const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const embedded = { jwk: attacker.publicKey.export({ format: 'jwk' }) };
const right = make('RS256', rsa.privateKey);
const [head = '', body = '', signature = ''] = right.split('.');

const ATTACKS: Readonly<Record<string, () => string>> = {
  'no signature: alg none': () => make('none', null),
  'no signature: alg None': () => make('None', null),
  'no signature: alg nOnE with a signature': () => `${make('nOnE', null)}x`,
  'no signature at all': () => `${head}.${body}.`,
  'no third part': () => `${head}.${body}`,
  'a public key as shared secret (RS/HS confusion)': () => make('HS256', pem, {}, { kid: 'RS256-1' }),
  'a public key as shared secret, without line ends': () => make('HS256', pem.trim(), {}, { kid: 'RS256-1' }),
  'an empty secret': () => make('HS256', ''),
  'a key of one’s own, under a kid that is there': () => make('RS256', attacker.privateKey),
  'a key of one’s own, sent along (jwk)': () => make('RS256', attacker.privateKey, {}, embedded),
  'a key of one’s own, at a URL (jku)': () =>
    make('RS256', attacker.privateKey, {}, { jku: 'http://127.0.0.1:1/keys' }),
  'a key of one’s own, at a URL (x5u)': () =>
    make('RS256', attacker.privateKey, {}, { x5u: 'http://127.0.0.1:1/cert' }),
  'a key of one’s own, in a certificate (x5c)': () => make('RS256', attacker.privateKey, {}, { x5c: ['MIIB'] }),
  'a kid that nobody has': () => make('RS256', rsa.privateKey, {}, { kid: 'nobody' }),
  'a kid that is a path': () => make('RS256', rsa.privateKey, {}, { kid: '../../../../dev/null' }),
  'a kid that is SQL': () => make('RS256', rsa.privateKey, {}, { kid: "x' UNION SELECT 'k" }),
  'a kid that is no text': () => make('RS256', rsa.privateKey, {}, { kid: { $ne: null } }),
  'a kid of a key of another family': () => make('RS256', rsa.privateKey, {}, { kid: 'ES256-1' }),
  'a revoked key': () => make('RS256', rsa.privateKey, {}, { kid: 'RS256-0' }),
  'PS256 with the RSA key': () => make('PS256', rsa.privateKey, {}, { kid: 'RS256-1' }),
  'RS512 in the head': () => make('RS512', rsa.privateKey, {}, { kid: 'RS256-1' }),
  'a critical extension': () => make('RS256', rsa.privateKey, {}, { crit: ['exp'] }),
  'b64 false': () => make('RS256', rsa.privateKey, {}, { b64: false, crit: ['b64'] }),
  'other claims under the signature': () =>
    `${head}.${encode({ ...good(), sub: 'root', scope: 'admin' })}.${signature}`,
  'another head over the signature': () => `${encode({ alg: 'RS256', kid: 'RS256-1', typ: 'x' })}.${body}.${signature}`,
  'a signature that was cut': () => right.slice(0, -10),
  'an issuer that is another': () => make('RS256', rsa.privateKey, { iss: 'https://evil.example' }),
  'an issuer that begins alike': () => make('RS256', rsa.privateKey, { iss: `${provider.issuer}.evil.example` }),
  'no issuer': () => make('RS256', rsa.privateKey, { iss: undefined }),
  'another audience': () => make('RS256', rsa.privateKey, { aud: 'billing' }),
  'no audience': () => make('RS256', rsa.privateKey, { aud: undefined }),
  'not valid yet': () => make('RS256', rsa.privateKey, { nbf: now() + 300 }),
  'made in the future': () => make('RS256', rsa.privateKey, { iat: now() + 300 }),
  'no owner': () => make('RS256', rsa.privateKey, { sub: undefined }),
  'an owner that is no text': () => make('RS256', rsa.privateKey, { sub: ['ada'] }),
  'an end that is no number': () => make('RS256', rsa.privateKey, { exp: 'never' }),
  'an encrypted token': () => 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d',
  'claims that are no JSON': () => `${head}.${Buffer.from('{"sub":').toString('base64url')}.${signature}`,
  'nothing but dots': () => '..',
};

for (const [what, attack] of Object.entries(ATTACKS)) {
  test(`refused: ${what}`, async () => {
    const answer = await ask(`Bearer ${attack()}`);
    const { message } = assertFailure(answer, 'unauthenticated');
    assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"');
    assert.doesNotMatch(message, /eyJ/);
  });
}

test('refused: a token that has expired, which is said', async () => {
  assertFailure(await ask(`Bearer ${make('RS256', rsa.privateKey, { exp: now() - 120 })}`), 'token_expired');
});

test('tokens: a header that is no bearer token, or more than one, is none', async () => {
  const odd = [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${right}`,
    right,
    `Bearer ${right} ${right}`,
    `Bearer ${right},Bearer x`,
    `Bearer\t${right}`,
  ];
  for (const value of odd) {
    assertFailure(await ask(value), 'unauthenticated');
  }
  assert.equal((await ask(`bearer ${right}`)).status, 200);
  const twice = await Connection.open(server.url);
  twice.send(`GET /uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nAuthorization: Bearer ${right}\r\n\r\n`);
  assertFailure(await twice.answer(), 'unauthenticated');
  twice.close();
});

test('tokens: a huge token costs nothing and is refused in our own words', async () => {
  for (const length of [7_000, 12_000, 100_000, 1_000_000]) {
    const connection = await Connection.open(server.url);
    connection.send(`GET /uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'x'.repeat(length)}\r\n\r\n`);
    assertFailure(await connection.answer(), 'unauthenticated', 'invalid_request');
    connection.close();
  }
});

test('tokens: an attacker who invents key ids does not make us hammer the provider', async () => {
  const before = provider.requests;
  for (let at = 0; at < 50; at++) {
    assertFailure(await ask(`Bearer ${make('RS256', rsa.privateKey, {}, { kid: `k${at}` })}`), 'unauthenticated');
  }
  assert.ok(provider.requests - before <= 2, `${provider.requests - before} requests`);
});

test('log: contains no token', () => {
  assert.doesNotMatch(server.stderr, /eyJ/);
});
