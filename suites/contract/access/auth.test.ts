/** Who may call what, with tokens of the shared secret. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { signToken, toPayload } from '../token.ts';
import { open, publish } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const owner = callAs(server, { sub: 'owner' });
const { upload_id } = await open(owner);
const { file_id } = await publish(owner, makeMrc(2000));

const READ = 'files:read';
const WRITE = 'uploads:write';
/** Every call that needs a token, with the scope it needs. */
const CALLS = [
  ['POST', '/uploads/init', WRITE],
  ['PUT', `/uploads/${upload_id}/part/0`, WRITE],
  ['GET', `/uploads/${upload_id}`, WRITE],
  ['GET', `/uploads/${upload_id}/parts`, WRITE],
  ['POST', `/uploads/${upload_id}/complete`, WRITE],
  ['DELETE', `/uploads/${upload_id}`, WRITE],
  ['GET', '/uploads', WRITE],
  ['GET', '/files', READ],
  ['GET', `/files/${file_id}`, READ],
  ['GET', `/files/${file_id}/content`, READ],
  ['DELETE', `/files/${file_id}`, 'files:delete'],
  ['POST', `/uploads/${upload_id}/sign`, WRITE],
  ['POST', `/files/${file_id}/sign`, READ],
  ['POST', '/links', WRITE],
  ['DELETE', '/links/none', WRITE],
] as const;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const good = server.token({ sub: 'owner' });
const [head = '', claims = '', signature = ''] = good.split('.');
const forged = Buffer.from(JSON.stringify(toPayload({ sub: 'owner', scope: 'admin' }))).toString('base64url');
const WRONG: Readonly<Record<string, string>> = {
  'no token': '',
  'no scheme': good,
  'another scheme': `Basic ${Buffer.from('owner:secret').toString('base64')}`,
  'an empty token': 'Bearer ',
  garbage: 'Bearer garbage',
  'two tokens': `Bearer ${good} ${good}`,
  'binary garbage': 'Bearer \x80\xff.\xfe.\xfd',
  'a very long token': `Bearer ${'a'.repeat(7000)}`,
  'another secret': `Bearer ${signToken(toPayload({ sub: 'owner' }), 'HS256', 'another secret, also of 32 bytes or more')}`,
  'alg none': `Bearer ${signToken(toPayload({ sub: 'owner' }), 'none', '')}`,
  'alg none, with the right signature of something else': `Bearer ${signToken(toPayload({ sub: 'owner' }), 'none', '')}${signature}`,
  'a key of another family': `Bearer ${signToken(toPayload({ sub: 'owner' }), 'RS256', privateKey)}`,
  'changed claims': `Bearer ${head}.${forged}.${signature}`,
  'no signature': `Bearer ${head}.${claims}.`,
  'no owner': `Bearer ${server.token({ sub: '' })}`,
};

test('auth: without a right token every call is refused, and says how one is sent', async () => {
  for (const [what, authorization] of Object.entries(WRONG)) {
    const call = callWith(server, authorization === '' ? {} : { authorization });
    for (const [method, path] of CALLS.slice(0, what === 'no token' ? CALLS.length : 3)) {
      const answer = await call(method, path);
      assert.equal(assertFailure(answer, 'unauthenticated').code, 'unauthenticated', what);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/, what);
    }
  }
});

test('auth: a token that is not valid yet is refused', async () => {
  const nbf = Math.floor(Date.now() / 1000) + 3600;
  assertFailure(await callAs(server, { nbf })('GET', '/uploads'), 'unauthenticated');
});

test('auth: an expired token has its own error code', async () => {
  for (const [method, path] of CALLS) {
    assertFailure(await callAs(server, { sub: 'owner', ttlSeconds: -120 })(method, path), 'token_expired');
  }
});

test('auth: a call whose scope the token lacks is forbidden; one that it has is not', async () => {
  for (const [method, path, scope] of CALLS) {
    const others = [WRITE, READ, 'files:delete', 'files:locate'].filter((other) => other !== scope);
    for (const lacking of ['', others.join(' '), `${scope}x`, scope.replace(':', ' ')]) {
      assertFailure(await callAs(server, { sub: 'owner', scope: lacking })(method, path), 'forbidden');
    }
  }
  for (const [method, path, scope] of CALLS.filter(([method]) => method === 'GET')) {
    assert.equal((await callAs(server, { sub: 'owner', scope })(method, path)).status, 200, path);
  }
});

test('auth: the admin may read what is not their own', async () => {
  const admin = callAs(server, { sub: 'admin', scope: 'admin' });
  assert.equal((await admin('GET', `/uploads/${upload_id}`)).status, 200);
  assert.equal((await admin('GET', `/files/${file_id}/content`)).status, 200);
});

test('auth: the scheme of the header may be written in any case', async () => {
  assert.equal((await callWith(server, { authorization: `bearer ${good}` })('GET', '/uploads')).status, 200);
});
