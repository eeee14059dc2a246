import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audienceParameters, authorizationParameters } from './sign-in.ts';

const SIGN_IN = { issuer: 'https://id.example.org', client_id: 'cryolift', scope: 'openid', audience: null };

test('sign-in: the audience is sent as resource, too, when it is an absolute URI', () => {
  assert.deepEqual(audienceParameters(SIGN_IN), {});
  for (const audience of ['https://lift.example.org/', 'urn:lab:lift']) {
    assert.deepEqual(audienceParameters({ ...SIGN_IN, audience }), { audience, resource: audience });
  }
  for (const audience of ['cryolift', '6f1e0c3e-0000-4000-8000-000000000000', 'https://lift.example.org/#x', '/x']) {
    assert.deepEqual(audienceParameters({ ...SIGN_IN, audience }), { audience });
  }
});

test('sign-in: consent is asked for with offline_access, except at Microsoft', () => {
  const scope = 'openid offline_access files:read';
  assert.deepEqual(authorizationParameters(SIGN_IN), { scope: 'openid' });
  assert.deepEqual(authorizationParameters({ ...SIGN_IN, scope }), { scope, prompt: 'consent' });
  const issuer = 'https://login.microsoftonline.com/TENANT/v2.0';
  assert.deepEqual(authorizationParameters({ ...SIGN_IN, issuer, scope, audience: 'a' }), { scope, audience: 'a' });
});
