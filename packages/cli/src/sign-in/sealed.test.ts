import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { SignInRecord } from './record.ts';
import { parseFile, toText, unseal } from './sealed.ts';

const RECORD: SignInRecord = {
  server: 'https://lift.example.org',
  signIn: { issuer: 'https://id.example.org', client_id: 'cryolift', scope: 'openid', audience: null },
  sub: 'ada',
  name: null,
  tokens: {
    accessToken: 'the access token',
    refreshToken: 'the refresh token',
    scope: null,
    lifeSeconds: 300,
    refreshLifeSeconds: null,
    receivedMs: 1,
  },
};

test('sealed: what was encrypted is read with the same key for the same server alone', () => {
  const key = randomBytes(32);
  const text = toText(RECORD, { keyring: 'keychain', key });
  assert.doesNotMatch(text, /token|ada/);
  const file = parseFile(text);
  assert.ok(file && file.keyring !== null);
  assert.equal(file.keyring, 'keychain');
  assert.deepEqual(unseal(file, key), RECORD);
  assert.equal(unseal(file, randomBytes(32)), null);
  assert.equal(unseal({ ...file, server: 'https://other.example.org' }, key), null);
  assert.equal(unseal({ ...file, sealed: file.sealed.replace(/^.../, 'AAA') }, key), null);
  assert.equal(unseal({ ...file, sealed: '' }, key), null);
  assert.notEqual(toText(RECORD, { keyring: 'keychain', key }), text);
});

test('sealed: a readable file, also with spaces at its end, and no file', () => {
  const file = parseFile(`${toText(RECORD, null)}      `);
  assert.deepEqual(file, { keyring: null, record: RECORD });
  for (const text of ['', 'null', '{}', '{"keyring":null}', '{"keyring":"x"}', '{"keyring"']) {
    assert.equal(parseFile(text), null, text);
  }
});
