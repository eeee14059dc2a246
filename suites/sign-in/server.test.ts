/** What a server that people sign in to says and takes, with a real identity provider. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '@cryolift/protocol/messages';
import { eventually } from '../contract/upload.ts';
import { startServer } from '../server-under-test.ts';
import { TestProvider } from './provider.ts';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

async function readLimits(url: string): Promise<Limits> {
  return (await (await fetch(`${url}/limits`)).json()) as Limits;
}

test('server: says how to sign in, lets its page call the provider, and takes its tokens', async (context) => {
  const provider = await TestProvider.start();
  const server = await startServer(provider.settings);
  context.after(async () => {
    await server.discard();
    await provider.disconnect();
  });
  const { sign_in } = await readLimits(server.url);
  const { issuer, clientId: client_id, audience } = provider;
  const scope = 'openid offline_access uploads:write files:read files:delete files:locate';
  assert.deepEqual(sign_in, { issuer, client_id, audience, scope });
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';
  assert.match(policy, new RegExp(`connect-src 'self' ${issuer};`));

  const post = async (path: string, form: Record<string, string>) => {
    const response = await fetch(issuer + path, { method: 'POST', body: new URLSearchParams(form) });
    return (await response.json()) as Record<string, string>;
  };
  const device = await post('/device/auth', { client_id, scope, resource: audience });
  await provider.approveDevice(device.verification_uri_complete as string, 'carla');
  const grant = { grant_type: DEVICE_CODE, client_id, resource: audience, device_code: device.device_code as string };
  const { access_token } = await post('/token', grant);
  const whoami = () => fetch(`${server.url}/whoami`, { headers: { authorization: `Bearer ${access_token}` } });
  // The keys are fetched at the start, which may still be under way.
  const { status } = await eventually(whoami, (answer) => answer.status !== 503);
  assert.equal(status, 200);
  assert.equal(((await (await whoami()).json()) as { owner: string }).owner, 'carla');
});

test('server: without a client it says nothing, and its page calls no provider', async (context) => {
  const provider = await TestProvider.start();
  const server = await startServer({ ...provider.settings, CRYOLIFT_OIDC_CLIENT_ID: '' });
  context.after(async () => {
    await server.discard();
    await provider.disconnect();
  });
  assert.equal((await readLimits(server.url)).sign_in, null);
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';
  assert.match(policy, /connect-src 'self';/);
});
