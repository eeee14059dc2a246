/** Further origins of the server: named to clients, allowed to its page, and calls from its page are taken. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Limits } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { callAs, callWith } from '../wire.ts';

const PAGE = 'https://lift.example.org';
const OTHERS = ['https://a2.example.org', 'https://a3.example.org:8443'];
const server = await startServer({ CRYOLIFT_PUBLIC_URL: `${PAGE}/`, CRYOLIFT_PART_ORIGINS: OTHERS.join() });
const plain = await startServer();
after(async () => {
  await server.discard();
  await plain.discard();
});

test('part origins: clients get to know them, with and without a token', async () => {
  for (const call of [callAs(server), callWith(server, {})]) {
    assert.deepEqual((await call('GET', '/limits')).json<Limits>().part_origins, OTHERS);
  }
  assert.equal('part_origins' in (await callAs(plain)('GET', '/limits')).json<Limits>(), false);
});

test('part origins: the page may connect to them, and to nothing else', async () => {
  const policyOf = async (one: typeof server) =>
    /connect-src ([^;]*)/.exec((await callWith(one, {})('GET', '/')).headers['content-security-policy'] ?? '')?.[1];
  assert.equal(await policyOf(server), `'self' ${OTHERS.join(' ')}`);
  assert.equal(await policyOf(plain), "'self'");
});

test('part origins: a page of the server may send parts, another page may not', async () => {
  const preflight = async (origin: string) => {
    const asked = {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,content-digest,content-type,traceparent,upload-offset',
    };
    const { status, headers } = await callWith(server, asked)('OPTIONS', '/uploads/x/part/0');
    return status === 204 ? headers['access-control-allow-origin'] : undefined;
  };
  for (const origin of [PAGE, ...OTHERS]) assert.equal(await preflight(origin), origin);
  assert.equal(await preflight('https://evil.example'), undefined);
  const { headers } = await callWith(server, { origin: PAGE })('PUT', '/uploads/x/part/0');
  assert.equal(headers['access-control-allow-origin'], PAGE);
});
