import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError, ServerError, type Transport } from '@cryolift/client';
import { identify, nameOf } from './subject.ts';

const TOKEN = `x.${Buffer.from(JSON.stringify({ sub: 'ada' })).toString('base64url')}.x`;

function answer(status: number, body: object): Transport {
  return { send: async () => ({ status, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) }) };
}

function refuse(status: number, code: string): Transport {
  return answer(status, { code, message: `no: ${code}`, hint: 'h', retryable: false, request_id: 'r', details: {} });
}

test('subject: the server identifies the owner or the link of a token', async () => {
  const owner = await identify(answer(200, { owner: 'ada', link_id: null, scopes: [] }), TOKEN);
  const link = await identify(answer(200, { owner: 'ada', link_id: 'l1', scopes: [] }), TOKEN);
  assert.ok(owner.kind === 'accepted' && link.kind === 'accepted');
  assert.deepEqual([nameOf(owner.subject), nameOf(link.subject)], ['ada', 'upload link of ada']);
  assert.notEqual(owner.subject.key, link.subject.key);
  assert.equal(owner.subject.mayUpload, false);
  for (const scope of ['uploads:write', 'admin']) {
    const writer = await identify(answer(200, { owner: 'ada', link_id: null, scopes: [scope] }), TOKEN);
    assert.ok(writer.kind === 'accepted' && writer.subject.mayUpload, scope);
  }
});

test('subject: a link has its note and its end, and a token of an administrator its right', async () => {
  const end = '2026-12-01T10:00:00.000Z';
  const link = await identify(
    answer(200, { owner: 'ada', link_id: 'l1', note: 'night 3', expires_at: end, scopes: [] }),
    'cl_link_x',
  );
  assert.ok(link.kind === 'accepted');
  const { note, expiresAtMs, isAdmin } = link.subject;
  assert.deepEqual([note, expiresAtMs, isAdmin], ['night 3', Date.parse(end), false]);
  const admin = await identify(answer(200, { owner: 'root', link_id: null, scopes: ['admin'] }), TOKEN);
  assert.ok(admin.kind === 'accepted' && admin.subject.isAdmin);
  assert.equal(admin.subject.expiresAtMs, null);
});

test('subject: a token with characters that a header cannot have is refused without a request', async () => {
  const send = () => assert.fail('no request expected');
  for (const token of ['a b', 'ä', '', 'a\n']) assert.equal((await identify({ send }, token)).kind, 'refused', token);
});

test('subject: a 401 refuses the token with the reason', async () => {
  const refused = await identify(refuse(401, 'unauthenticated'), TOKEN);
  assert.deepEqual(refused, { kind: 'refused', message: 'no: unauthenticated' });
});

test('subject: a token without the scope is accepted with its own subject', async () => {
  const accepted = await identify(refuse(403, 'forbidden'), TOKEN);
  assert.ok(accepted.kind === 'accepted');
  assert.equal(accepted.subject.owner, 'ada');
});

test('subject: other errors identify nobody', async () => {
  await assert.rejects(identify(refuse(503, 'overloaded'), TOKEN), ServerError);
  const send = () => Promise.reject(new ConnectionError('refused'));
  await assert.rejects(identify({ send }, TOKEN), ConnectionError);
});
