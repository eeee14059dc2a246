import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClaims } from './claims.ts';

function tokenOf(payload: unknown): string {
  return `x.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.x`;
}

test('claims: the subject and the expiry of a token', () => {
  assert.deepEqual(readClaims(tokenOf({ sub: 'ada', exp: 1_700_000_000 })), { subject: 'ada', expiresAtMs: 1.7e12 });
});

test('claims: a subject may have any characters', () => {
  const subject = 'Zoë >>>??? 名前';
  assert.equal(readClaims(tokenOf({ sub: subject }))?.subject, subject);
});

test('claims: an expiry that is missing, or outside the range of a Date, is null', () => {
  for (const exp of [undefined, '1700000000', 9e12, -9e12]) {
    assert.deepEqual(readClaims(tokenOf({ sub: 'ada', exp })), { subject: 'ada', expiresAtMs: null }, String(exp));
  }
});

test('claims: other texts have none', () => {
  for (const text of ['', 'nonsense', 'a.b.c', 'x.!!.x', tokenOf(null), tokenOf({ sub: 5 }), tokenOf({})]) {
    assert.equal(readClaims(text), null, text);
  }
});
