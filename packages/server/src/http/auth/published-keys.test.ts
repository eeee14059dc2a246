import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { calculateJwkThumbprint, type FlattenedJWSInput, type JWK, type JWTHeaderParameters } from 'jose';
import { Discovery } from './discovery.ts';
import { PublishedKeys } from './published-keys.ts';

const QUIET = { warn() {} };
const MINUTE = 60_000;
const NO_TOKEN = {} as FlattenedJWSInput;
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const jwk = (kid: string) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' });

async function findKey(keys: PublishedKeys, kid: string): Promise<unknown> {
  return await keys.find({ alg: 'ES256', kid } as JWTHeaderParameters, NO_TOKEN);
}

/** An identity provider whose answers a test chooses. */
async function startProvider(t: TestContext) {
  const provider = { url: '', requests: 0, answer: (_path: string): [number, unknown] => [200, { keys: [] }] };
  const server = createServer((request, response) => {
    provider.requests++;
    const [status, body] = provider.answer(request.url ?? '');
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return provider;
}

test('published keys: callers share one fetch, and old keys are fetched again', async (t) => {
  const provider = await startProvider(t);
  provider.answer = () => [200, { keys: [jwk('a')] }];
  const clock = { nowMs: 0 };
  const keys = new PublishedKeys(
    async () => provider.url,
    [],
    QUIET,
    () => clock.nowMs,
  );
  await Promise.all(Array.from({ length: 20 }, () => findKey(keys, 'a')));
  assert.equal(provider.requests, 1);
  clock.nowMs = 9 * MINUTE;
  await findKey(keys, 'a');
  assert.equal(provider.requests, 1);
  clock.nowMs = 11 * MINUTE;
  provider.answer = () => [200, { keys: [jwk('b')] }];
  await assert.rejects(findKey(keys, 'a'), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  assert.equal(provider.requests, 2);
});

test('published keys: a new key is found at once, and unknown keys do not cause a fetch each', async (t) => {
  const provider = await startProvider(t);
  provider.answer = () => [200, { keys: [jwk('a')] }];
  const clock = { nowMs: 0 };
  const keys = new PublishedKeys(
    async () => provider.url,
    [],
    QUIET,
    () => clock.nowMs,
  );
  await findKey(keys, 'a');
  provider.answer = () => [200, { keys: [jwk('a'), jwk('b')] }];
  for (let at = 0; at < 50; at++) await assert.rejects(findKey(keys, `x${at}`));
  assert.equal(provider.requests, 1, 'none within 30 s of the last');
  clock.nowMs = 31_000;
  await findKey(keys, 'b');
  for (let at = 0; at < 50; at++) await assert.rejects(findKey(keys, `x${at}`));
  assert.equal(provider.requests, 2);
});

test('published keys: known keys are accepted for a day while the provider is down; without any, the answer is overloaded', async (t) => {
  const provider = await startProvider(t);
  const clock = { nowMs: 0 };
  const keys = new PublishedKeys(
    async () => provider.url,
    [],
    QUIET,
    () => clock.nowMs,
  );
  const isOverloaded = (error: unknown) => error instanceof UploadError && error.code === 'overloaded';
  for (const answer of [
    [500, ''],
    [200, 'no JSON'],
    [200, { keys: 7 }],
    [302, ''],
    [200, `"${'x'.repeat(1_100_000)}"`],
  ] as const) {
    provider.answer = () => [...answer];
    clock.nowMs += MINUTE;
    await assert.rejects(findKey(keys, 'a'), isOverloaded, JSON.stringify(answer).slice(0, 50));
  }
  provider.answer = () => [200, { keys: [jwk('a')] }];
  clock.nowMs += MINUTE;
  await findKey(keys, 'a');
  provider.answer = () => [503, ''];
  clock.nowMs += 60 * MINUTE;
  await findKey(keys, 'a');
  clock.nowMs += 24 * 60 * MINUTE;
  await assert.rejects(findKey(keys, 'a'), isOverloaded);
});

test('published keys: a revoked key is not found, also for a token that names no key', async (t) => {
  const provider = await startProvider(t);
  provider.answer = () => [200, { keys: [jwk('revoked')] }];
  const keys = new PublishedKeys(async () => provider.url, ['revoked'], QUIET);
  const nameless = async () => await keys.find({ alg: 'ES256' } as JWTHeaderParameters, NO_TOKEN);
  await assert.rejects(nameless, { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  await assert.rejects(findKey(keys, 'revoked'), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  provider.answer = () => [200, { keys: [jwk('revoked'), jwk('good')] }];
  const others = new PublishedKeys(async () => provider.url, ['revoked'], QUIET);
  // The same key, under another id and without one, does not come back by that.
  const another = async () => await others.find({ alg: 'ES256' } as JWTHeaderParameters, NO_TOKEN);
  await assert.rejects(another, { code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

test('published keys: a key without an id is revoked by its thumbprint', async (t) => {
  const provider = await startProvider(t);
  const { kid: _, ...nameless } = jwk('');
  provider.answer = () => [200, { keys: [nameless] }];
  const find = async (revoked: string[]) =>
    await new PublishedKeys(async () => provider.url, revoked, QUIET).find(
      { alg: 'ES256' } as JWTHeaderParameters,
      NO_TOKEN,
    );
  await find(['another']);
  await assert.rejects(find([await calculateJwkThumbprint(nameless as JWK)]), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

test('published keys: discovery accepts only the document of the issuer', async (t) => {
  const provider = await startProvider(t);
  const jwks_uri = `${provider.url}/keys`;
  provider.answer = (path) =>
    path === '/lab/.well-known/openid-configuration' ? [200, { issuer, jwks_uri }] : [404, ''];
  let issuer = `${provider.url}/lab`;
  assert.equal(await new Discovery(issuer).findKeys(), jwks_uri);
  const asked = issuer;
  for (const wrong of [`${provider.url}/other`, `${asked}/`, undefined]) {
    issuer = wrong as string;
    await assert.rejects(new Discovery(asked).findKeys(), /issuer/);
  }
  issuer = asked;
  provider.answer = () => [200, { issuer }];
  await assert.rejects(new Discovery(issuer).findKeys(), /jwks_uri/);
});

test('published keys: the page may call the token endpoint of another origin, once the document is known', async (t) => {
  const provider = await startProvider(t);
  const issuer = provider.url;
  const jwks_uri = `${issuer}/keys`;
  const endpoints = {
    token_endpoint: 'https://tokens.example.org/lab/token',
    revocation_endpoint: "javascript:alert('x')",
    authorization_endpoint: 'https://pages.example.org/',
  };
  provider.answer = () => [200, { issuer, jwks_uri, ...endpoints }];
  const discovery = new Discovery(issuer);
  assert.deepEqual(discovery.origins, [issuer]);
  await discovery.findKeys();
  assert.deepEqual(discovery.origins, [issuer, 'https://tokens.example.org']);
});
