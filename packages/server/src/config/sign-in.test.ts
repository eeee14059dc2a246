import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from './config.ts';
import { names } from './test-settings.ts';

const ISSUER = 'https://id.example.org/realms/lab';
const CLIENT = { CRYOLIFT_OIDC_CLIENT_ID: 'cryolift' };

test('sign-in: a public client of the issuer, with default scopes and the audience', () => {
  const env = { ...CLIENT, CRYOLIFT_OIDC_ISSUER: ISSUER };
  const scope = 'openid offline_access uploads:write files:read files:delete files:locate';
  assert.deepEqual(readConfig(env).signIn, { issuer: ISSUER, clientId: 'cryolift', scope, audience: null });
  const more = { ...env, CRYOLIFT_JWT_AUDIENCE: 'lift', CRYOLIFT_OIDC_SCOPE: ' openid  api://lift/uploads:write ' };
  const { scope: own, audience } = readConfig(more).signIn ?? {};
  assert.deepEqual([own, audience], ['openid api://lift/uploads:write', 'lift']);
  assert.equal(readConfig({ CRYOLIFT_OIDC_ISSUER: ISSUER }).signIn, null);
});

test('sign-in: settings that miss another one, and values that no provider takes', () => {
  assert.throws(() => readConfig(CLIENT), names('CRYOLIFT_OIDC_CLIENT_ID'));
  const issuer = { CRYOLIFT_OIDC_ISSUER: ISSUER };
  assert.throws(() => readConfig({ ...issuer, CRYOLIFT_OIDC_SCOPE: 'openid' }), names('CRYOLIFT_OIDC_SCOPE'));
  for (const scope of ['open"id', 'öpenid', 'open\\id']) {
    assert.throws(() => readConfig({ ...issuer, ...CLIENT, CRYOLIFT_OIDC_SCOPE: scope }), names('CRYOLIFT_OIDC_SCOPE'));
  }
  for (const id of [' x', 'ä', 'a\nb']) {
    const env = { ...issuer, CRYOLIFT_OIDC_CLIENT_ID: id };
    assert.throws(() => readConfig(env), names('CRYOLIFT_OIDC_CLIENT_ID'));
  }
});

test('sign-in: an issuer without TLS signs in on loopback only', () => {
  for (const host of ['127.0.0.1:8081', 'localhost', '[::1]:8081']) {
    const env = { ...CLIENT, CRYOLIFT_OIDC_ISSUER: `http://${host}` };
    assert.equal(readConfig(env).signIn?.issuer, `http://${host}`);
  }
  for (const url of ['http://id.example.org', 'http://127.0.0.1.example.org', `${ISSUER}?a=b`, `${ISSUER}#a`]) {
    const env = { CRYOLIFT_OIDC_ISSUER: url };
    assert.equal(readConfig(env).jwt.oidcIssuer, url);
    assert.throws(() => readConfig({ ...env, ...CLIENT }), names('CRYOLIFT_OIDC_ISSUER'));
  }
});
