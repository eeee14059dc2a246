/** The provider of the other tests does what they rely on. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { TestProvider } from './provider.ts';

const SCOPE = 'openid offline_access uploads:write files:read';

async function post(url: string, form: Record<string, string>) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as Record<string, string>;
}

test('provider: a device gets a JWT with audience and scope; a refresh token that is used twice ends the grant', async (context) => {
  const provider = await TestProvider.start({ lives: { access: 3 } });
  context.after(() => provider.disconnect());
  const { issuer, clientId: client_id, audience: resource } = provider;
  const device = await post(`${issuer}/device/auth`, { client_id, scope: SCOPE, resource });
  const poll = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id, resource };
  const code = { device_code: device.device_code as string };
  assert.equal((await post(`${issuer}/token`, { ...poll, ...code })).error, 'authorization_pending');
  await provider.approveDevice(device.verification_uri_complete as string, 'bob');
  const tokens = await post(`${issuer}/token`, { ...poll, ...code });
  assert.equal(Number(tokens.expires_in), 3);

  const [, claims = ''] = (tokens.access_token as string).split('.');
  const { sub, scope, aud, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  assert.deepEqual([sub, scope, aud], ['bob', 'uploads:write files:read', resource]);
  assert.equal(exp - iat, 3 - 60);

  const refresh = { grant_type: 'refresh_token', client_id, resource, refresh_token: tokens.refresh_token as string };
  const second = await post(`${issuer}/token`, refresh);
  assert.notEqual(second.refresh_token, tokens.refresh_token);
  assert.equal((await post(`${issuer}/token`, refresh)).error, 'invalid_grant');
  const rotated = { ...refresh, refresh_token: second.refresh_token as string };
  assert.equal((await post(`${issuer}/token`, rotated)).error, 'invalid_grant');
  assert.deepEqual(provider.counts, {
    granted: { device_code: 1, refresh_token: 1 },
    refused: { authorization_pending: 1, invalid_grant: 2 },
    revoked: 1,
  });
});

test('provider: a code with PKCE comes back to any port of loopback, with state and issuer', async (context) => {
  const provider = await TestProvider.start();
  context.after(() => provider.disconnect());
  const { issuer, clientId: client_id, audience: resource } = provider;
  const verifier = 'v'.repeat(43);
  const redirect_uri = 'http://127.0.0.1:4711/callback';
  const query = new URLSearchParams({
    client_id,
    resource,
    redirect_uri,
    scope: SCOPE,
    prompt: 'consent',
    response_type: 'code',
    state: 'mine',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const returned = new URL(await provider.signIn(`${issuer}/auth?${query}`));
  assert.equal(returned.origin + returned.pathname, redirect_uri);
  assert.deepEqual([returned.searchParams.get('state'), returned.searchParams.get('iss')], ['mine', issuer]);
  const tokens = await post(`${issuer}/token`, {
    grant_type: 'authorization_code',
    client_id,
    resource,
    redirect_uri,
    code: returned.searchParams.get('code') as string,
    code_verifier: verifier,
  });
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token, JSON.stringify(tokens));
  const refused = new URL(await provider.refuse(`${issuer}/auth?${query}`));
  assert.equal(refused.searchParams.get('error'), 'access_denied');
});
