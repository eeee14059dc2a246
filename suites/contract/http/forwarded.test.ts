/** `X-Forwarded-*`: believed of the proxies that the settings name, and of nobody else. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { Connection } from '../wire.ts';

const RATE = 5;
const REQUESTS = 40;
const servers: OwnServer[] = [];
after(() => Promise.all(servers.map((server) => server.discard())));

async function start(trust: string): Promise<OwnServer> {
  const server = await startServer({ CRYOLIFT_TRUST_PROXY: trust, CRYOLIFT_RATE_LIMIT: String(RATE) });
  servers.push(server);
  return server;
}

/** What the server makes of headers that each request has anew. */
async function ask(server: OwnServer, forwarded: (idx: number) => Record<string, string>) {
  const connection = await Connection.open(server.url);
  const answers = [];
  for (let idx = 0; idx < REQUESTS; idx++) {
    answers.push(await connection.exchange('GET', '/limits', { headers: forwarded(idx) }));
  }
  connection.close();
  return {
    /** One client: some of its requests were too many. */
    isOne: answers.some(({ status }) => status === 429),
    isSecure: answers.some(({ headers }) => headers['strict-transport-security'] !== undefined),
  };
}

const byOneProxy = (idx: number) => ({ 'x-forwarded-for': `10.9.8.${idx}`, 'x-forwarded-proto': 'https' });
const byTwoProxies = (idx: number) => ({ ...byOneProxy(idx), 'x-forwarded-for': `10.9.8.${idx}, 10.0.0.2` });
const byTwoStrangers = (idx: number) => ({ ...byOneProxy(idx), 'x-forwarded-for': `10.9.8.${idx}, 192.0.2.1` });
const ONE = { isOne: true, isSecure: true };
const MANY = { isOne: false, isSecure: true };
const NOT_BELIEVED = { isOne: true, isSecure: false };

test('forwarded: a trusted proxy without a public URL is warned of in the log; with one, and without a proxy, nothing is', async () => {
  const warned = async (settings: Record<string, string>) => {
    const server = await startServer(settings);
    assert.equal(await server.stop(), 0);
    return /CRYOLIFT_PUBLIC_URL is not set/.test(server.stderr);
  };
  assert.equal(await warned({ CRYOLIFT_TRUST_PROXY: 'true' }), true);
  assert.equal(await warned({ CRYOLIFT_TRUST_PROXY: 'true', CRYOLIFT_PUBLIC_URL: 'https://lift.example.org' }), false);
  assert.equal(await warned({}), false);
});

for (const trust of ['', '10.0.0.0/8', '192.0.2.7,::1']) {
  test(`forwarded: a peer that is not named is not believed: ${trust || 'by default'}`, async () => {
    assert.deepEqual(await ask(await start(trust), byOneProxy), NOT_BELIEVED);
  });
}

for (const trust of ['true', '127.0.0.1', '127.0.0.0/8']) {
  test(`forwarded: one proxy is believed, what a client wrote before it is not: ${trust}`, async () => {
    const server = await start(trust);
    assert.deepEqual(await ask(server, byOneProxy), MANY);
    assert.deepEqual(await ask(server, byTwoStrangers), ONE);
  });
}

for (const trust of ['2', '127.0.0.1,10.0.0.2']) {
  test(`two proxies: ${trust}`, async () => {
    const server = await start(trust);
    assert.deepEqual(await ask(server, byTwoProxies), MANY);
    const forged = (idx: number) => ({ ...byOneProxy(idx), 'x-forwarded-for': `10.9.8.${idx}, 192.0.2.1, 10.0.0.2` });
    assert.deepEqual(await ask(server, forged), ONE);
  });
}
