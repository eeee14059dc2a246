import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { JwtConfig } from '../../config/jwt.ts';
import { algorithmOf } from '../../config/token-key.ts';
import { accessOf, assertScope, hasScope } from './caller.ts';
import { createAuthenticator } from './tokens.ts';

const SECRET = 'a shared secret of 32 bytes or more';
const OTHER_SECRET = 'another secret that is 32 bytes or more';
const NO_KEYS: JwtConfig = {
  secret: null,
  publicKey: null,
  jwksUrl: null,
  oidcIssuer: null,
  issuer: null,
  audience: null,
  revokedKeys: [],
};
const QUIET = { warn() {} };
const soon = () => Math.floor(Date.now() / 1000) + 60;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const KEYS = { RS256: rsa, ES256: ec, EdDSA: ed };

const pem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token by hand, so that headers and claims can lie. */
function token(alg: string, key: KeyObject | string | null, claims: object = {}, header: object = {}): string {
  const signed = `${encode({ alg, typ: 'JWT', ...header })}.${encode({ sub: 'ada', exp: soon(), ...claims })}`;
  return `${signed}.${signWith(alg, key, Buffer.from(signed)).toString('base64url')}`;
}

function signWith(alg: string, key: KeyObject | string | null, bytes: Buffer): Buffer {
  if (key === null) return Buffer.alloc(0);
  if (typeof key === 'string') return createHmac(alg.replace('HS', 'sha'), key).update(bytes).digest();
  if (alg === 'ES256') return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
  return sign(alg === 'EdDSA' ? null : 'sha256', bytes, key);
}

async function call(keys: Partial<JwtConfig>, bearer: string) {
  return await createAuthenticator({ ...NO_KEYS, ...keys }, QUIET)(`Bearer ${bearer}`);
}

function refuses(code: string) {
  return (error: unknown) => error instanceof UploadError && error.code === code;
}

test('tokens: a token of the shared secret is accepted', async () => {
  const caller = await call({ secret: SECRET }, token('HS256', SECRET, { scope: 'uploads:write files:read' }));
  assert.equal(caller.sub, 'ada');
  assert.deepEqual([...caller.scopes], ['uploads:write', 'files:read']);
});

test('tokens: a token of each kind of public key is accepted, and of no other key', async () => {
  for (const [alg, pair] of Object.entries(KEYS)) {
    const publicKey = pem(pair.publicKey);
    assert.equal((await call({ publicKey }, token(alg, pair.privateKey))).sub, 'ada', alg);
    for (const [otherAlg, other] of Object.entries(KEYS)) {
      if (otherAlg === alg) continue;
      await assert.rejects(
        call({ publicKey }, token(otherAlg, other.privateKey)),
        refuses('unauthenticated'),
        otherAlg,
      );
    }
  }
  const otherKey = generateKeyPairSync('ed25519').privateKey;
  await assert.rejects(call({ publicKey: pem(ed.publicKey) }, token('EdDSA', otherKey)), refuses('unauthenticated'));
});

test('tokens: a secret and a public key can be set together, each for its own algorithms', async () => {
  const both = { secret: SECRET, publicKey: pem(rsa.publicKey) };
  assert.equal((await call(both, token('HS256', SECRET))).sub, 'ada');
  assert.equal((await call(both, token('RS256', rsa.privateKey))).sub, 'ada');
});

test('tokens: a public key is never used as a secret', async () => {
  for (const { publicKey } of Object.values(KEYS)) {
    const text = pem(publicKey);
    for (const secret of [text, text.trim()]) {
      await assert.rejects(call({ publicKey: text }, token('HS256', secret)), refuses('unauthenticated'));
      await assert.rejects(
        call({ publicKey: text, secret: SECRET }, token('HS256', secret)),
        refuses('unauthenticated'),
      );
    }
  }
});

test('tokens: a token without a signature is refused in every spelling', async () => {
  for (const alg of ['none', 'None', 'NONE', '']) {
    await assert.rejects(call({ secret: SECRET }, token(alg, null)), refuses('unauthenticated'), alg);
  }
  await assert.rejects(call({ secret: SECRET }, token('HS256', null)), refuses('unauthenticated'));
});

test('tokens: a token with another signature, a changed token and other text are refused', async () => {
  const good = token('HS256', SECRET);
  const [header, , signature] = good.split('.') as [string, string, string];
  const forged = `${header}.${encode({ sub: 'eve', exp: soon() })}.${signature}`;
  const tokens = [token('HS256', OTHER_SECRET), token('HS384', SECRET), token('HS512', SECRET), forged, 'a.b.c', 'x'];
  const embedded = { jwk: ed.publicKey.export({ format: 'jwk' }), kid: 'x', x5u: 'http://127.0.0.1/' };
  tokens.push(token('EdDSA', ed.privateKey, {}, embedded), token('HS256', SECRET, {}, { crit: ['b64'], b64: false }));
  for (const each of tokens) await assert.rejects(call({ secret: SECRET }, each), refuses('unauthenticated'), each);
});

test('tokens: the header needs the bearer scheme, and nothing after the token', async () => {
  const authenticate = createAuthenticator({ ...NO_KEYS, secret: SECRET }, QUIET);
  const good = token('HS256', SECRET);
  for (const value of [`Bearer ${good}`, `bearer ${good}`, `Bearer   ${good}`]) {
    assert.equal((await authenticate(value)).sub, 'ada');
  }
  for (const value of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    good,
    `Basic ${good}`,
    `Bearer ${good} x`,
    `XBearer ${good}`,
  ]) {
    await assert.rejects(authenticate(value), refuses('unauthenticated'), String(value));
  }
});

test('tokens: an expired token has another error than an invalid one', async () => {
  const past = Math.floor(Date.now() / 1000) - 1;
  await assert.rejects(call({ secret: SECRET }, token('HS256', SECRET, { exp: past })), refuses('token_expired'));
  await assert.rejects(
    call({ secret: SECRET }, token('HS256', OTHER_SECRET, { exp: past })),
    refuses('unauthenticated'),
  );
  await assert.rejects(
    call({ secret: SECRET }, token('HS256', SECRET, { nbf: soon() + 60 })),
    refuses('unauthenticated'),
  );
});

test('tokens: clocks may differ by a minute; a token of the shared secret expires to the second', async () => {
  const now = Math.floor(Date.now() / 1000);
  const publicKey = pem(ed.publicKey);
  const late = token('EdDSA', ed.privateKey, { exp: now - 55 });
  assert.equal((await call({ publicKey }, late)).expiresAtMs, (now + 5) * 1000);
  const over = token('EdDSA', ed.privateKey, { exp: now - 65 });
  await assert.rejects(call({ publicKey }, over), refuses('token_expired'));
  await assert.rejects(call({ secret: SECRET }, token('HS256', SECRET, { exp: now - 1 })), refuses('token_expired'));
  const good = [{ nbf: now + 55 }, { iat: now + 55 }];
  for (const claims of good) assert.equal((await call({ secret: SECRET }, token('HS256', SECRET, claims))).sub, 'ada');
  for (const claims of [{ nbf: now + 65 }, { iat: now + 65 }]) {
    await assert.rejects(call({ secret: SECRET }, token('HS256', SECRET, claims)), refuses('unauthenticated'));
  }
});

test('tokens: the scopes may be in scp, as text or as a list', async () => {
  for (const scp of ['files:read uploads:write', ['files:read', 'uploads:write']]) {
    const { scopes } = await call({ secret: SECRET }, token('HS256', SECRET, { scp }));
    assert.deepEqual([...scopes], ['files:read', 'uploads:write']);
  }
});

test('tokens: a token that names a revoked key is refused', async () => {
  const keys = { secret: SECRET, revokedKeys: ['old', 'older'] };
  assert.equal((await call(keys, token('HS256', SECRET, {}, { kid: 'new' }))).sub, 'ada');
  assert.equal((await call(keys, token('HS256', SECRET))).sub, 'ada');
  await assert.rejects(call(keys, token('HS256', SECRET, {}, { kid: 'older' })), refuses('unauthenticated'));
});

test('tokens: iss and aud are checked when they are set', async () => {
  const keys = { secret: SECRET, issuer: 'lab', audience: 'cryolift' };
  for (const aud of ['cryolift', ['other', 'cryolift']]) {
    assert.equal((await call(keys, token('HS256', SECRET, { iss: 'lab', aud }))).sub, 'ada');
  }
  const wrong = [{}, { iss: 'lab' }, { aud: 'cryolift' }, { iss: 'x', aud: 'cryolift' }, { iss: 'lab', aud: ['x'] }];
  for (const claims of wrong) {
    await assert.rejects(
      call(keys, token('HS256', SECRET, claims)),
      refuses('unauthenticated'),
      JSON.stringify(claims),
    );
  }
  assert.equal((await call({ secret: SECRET }, token('HS256', SECRET, { iss: 'x', aud: 'y' }))).sub, 'ada');
});

test('tokens: a token without an owner is refused', async () => {
  for (const sub of [undefined, '', 7, null, ['ada'], 'x'.repeat(257)]) {
    const bearer = token('HS256', SECRET, { sub });
    await assert.rejects(call({ secret: SECRET }, bearer), refuses('unauthenticated'), String(sub));
  }
  assert.equal((await call({ secret: SECRET }, token('HS256', SECRET, { sub: 'x'.repeat(256) }))).sub.length, 256);
});

test('tokens: a scope that is not text is ignored', async () => {
  for (const scope of [undefined, null, ['admin'], { admin: true }, '']) {
    const caller = await call({ secret: SECRET }, token('HS256', SECRET, { scope }));
    assert.equal(hasScope(caller, 'uploads:write'), false);
    assert.throws(() => assertScope(caller, 'files:read'), refuses('forbidden'));
  }
});

test('callers: admin has every scope and access to all owners; others have access to their own', async () => {
  const admin = await call({ secret: SECRET }, token('HS256', SECRET, { scope: 'admin' }));
  assertScope(admin, 'files:delete');
  assert.equal(accessOf(admin), 'everybody');
  const reader = await call({ secret: SECRET }, token('HS256', SECRET, { scope: 'files:read administrator' }));
  assertScope(reader, 'files:read');
  assert.throws(() => assertScope(reader, 'files:delete'), refuses('forbidden'));
  assert.deepEqual(accessOf(reader), { owner: 'ada' });
});

test('token keys: a key has one algorithm; other keys are refused', () => {
  for (const [alg, { publicKey }] of Object.entries(KEYS)) assert.equal(algorithmOf(publicKey), alg);
  const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
  const x25519 = generateKeyPairSync('x25519').publicKey;
  for (const key of [p384, x25519]) assert.throws(() => algorithmOf(key), /RS256, ES256, EdDSA/);
});

/** A server that publishes keys, and what it answers with. */
async function publish(t: TestContext, status: number, body: unknown): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
}

test('tokens: a token of a published key is accepted, and of no unpublished key', async (t) => {
  const jwk = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
  const jwksUrl = await publish(t, 200, { keys: [jwk] });
  assert.equal((await call({ jwksUrl }, token('ES256', ec.privateKey, {}, { kid: 'k1' }))).sub, 'ada');
  await assert.rejects(call({ jwksUrl }, token('ES256', ec.privateKey, {}, { kid: 'k2' })), refuses('unauthenticated'));
  await assert.rejects(call({ jwksUrl }, token('HS256', JSON.stringify(jwk))), refuses('unauthenticated'));
});

test('tokens: a key server that is down or broken is answered as overloaded', async (t) => {
  const bearer = token('ES256', ec.privateKey, {}, { kid: 'k1' });
  const broken = await publish(t, 500, {});
  const senseless = await publish(t, 200, 'no keys');
  for (const jwksUrl of ['http://127.0.0.1:1/jwks', broken, senseless]) {
    await assert.rejects(call({ jwksUrl }, bearer), refuses('overloaded'), jwksUrl);
  }
});

test('tokens: a cached token is refused after it has expired', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 });
  const authenticate = createAuthenticator({ ...NO_KEYS, secret: SECRET }, QUIET);
  const bearer = `Bearer ${token('HS256', SECRET, { exp: 1_800_000_005 })}`;
  assert.equal((await authenticate(bearer)).sub, 'ada');
  t.mock.timers.tick(4_999);
  assert.equal((await authenticate(bearer)).sub, 'ada');
  t.mock.timers.tick(1);
  await assert.rejects(authenticate(bearer), refuses('token_expired'));
});

test('tokens: a similar token is not accepted in place of a cached one', async () => {
  const authenticate = createAuthenticator({ ...NO_KEYS, secret: SECRET }, QUIET);
  assert.equal((await authenticate(`Bearer ${token('HS256', SECRET)}`)).sub, 'ada');
  assert.equal((await authenticate(`Bearer ${token('HS256', SECRET, { sub: 'bob' })}`)).sub, 'bob');
  await assert.rejects(authenticate(`Bearer ${token('HS256', OTHER_SECRET)}`), refuses('unauthenticated'));
});

test('tokens: a revoked published key is refused, also when the token does not name it', async (t) => {
  const jwks = [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'old', alg: 'RS256', use: 'sig' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'new', alg: 'ES256', use: 'sig' },
  ];
  const keys = { jwksUrl: await publish(t, 200, { keys: jwks }), revokedKeys: ['old'] };
  assert.equal((await call(keys, token('ES256', ec.privateKey))).sub, 'ada');
  await assert.rejects(call(keys, token('RS256', rsa.privateKey)), refuses('unauthenticated'));
});

test('tokens: a public key of the settings is revoked by its thumbprint, for any id in the token', async () => {
  const print = await calculateJwkThumbprint(ed.publicKey.export({ format: 'jwk' }) as JWK);
  const keys = { publicKey: pem(ed.publicKey), secret: SECRET };
  for (const header of [{}, { kid: 'x' }]) {
    const bearer = token('EdDSA', ed.privateKey, {}, header);
    assert.equal((await call({ ...keys, revokedKeys: ['another'] }, bearer)).sub, 'ada');
    await assert.rejects(call({ ...keys, revokedKeys: [print] }, bearer), refuses('unauthenticated'));
  }
  assert.equal((await call({ ...keys, revokedKeys: [print] }, token('HS256', SECRET))).sub, 'ada');
});

test('tokens: an owner with control characters or broken text is refused', async () => {
  for (const sub of ['a\u0000b', 'a\nb', 'a\r\nX: y', '\u007f', '\u0085', '\ud800']) {
    const bearer = token('HS256', SECRET, { sub });
    await assert.rejects(call({ secret: SECRET }, bearer), refuses('unauthenticated'), JSON.stringify(sub));
  }
  assert.equal((await call({ secret: SECRET }, token('HS256', SECRET, { sub: 'Zoë|自' }))).sub, 'Zoë|自');
});

test('tokens: expire by the clock that all servers share, not by that of this system', async () => {
  let aheadMs = 0;
  const authenticate = createAuthenticator({ ...NO_KEYS, secret: SECRET }, QUIET, () => Date.now() + aheadMs);
  const made = Math.floor(Date.now() / 1000);
  const bearer = `Bearer ${token('HS256', SECRET, { iat: made, exp: made + 60 })}`;
  assert.equal((await authenticate(bearer)).sub, 'ada');
  aheadMs = 61_000;
  await assert.rejects(authenticate(bearer), refuses('token_expired'));
  aheadMs = -600_000;
  const fresh = `Bearer ${token('HS256', SECRET, { iat: made, exp: made + 61 })}`;
  await assert.rejects(authenticate(fresh), refuses('unauthenticated'));
});
