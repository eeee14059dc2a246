import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { DestinationConfig } from '../config/destinations.ts';
import { PushRefused } from './delivery.ts';
import { Destinations } from './destinations.ts';
import { describeFailure } from './failure.ts';

const COMMON = { name: 'vault', owners: null };
const DATASET = { id: 'd1', name: 'Grid 7', project: null, instrument: null, fields: {} };
const HOST_KEY = `SHA256:${'A'.repeat(43)}`;

/** One of each kind, at one address. */
function configsAt(port: number): DestinationConfig[] {
  const [host, url] = ['127.0.0.1', `http://127.0.0.1:${port}`];
  const ssh = { host, port, user: 'u', folder: '', password: 'p', privateKey: null, passphrase: null };
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  return [
    { ...COMMON, kind: 'cryolift', url, token: 't' },
    { ...COMMON, kind: 'webdav', url, user: null, password: null, token: null },
    { ...COMMON, kind: 'sftp', url: `sftp://127.0.0.1:${port}`, ...ssh, hostKey: HOST_KEY },
    { ...COMMON, kind: 's3', url, bucket: 'b', prefix: '', endpoint: url, region: 'r', pathStyle: true, credentials },
  ];
}

/** @returns its port. */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What the owner reads when a push to this destination fails. */
async function failAt(config: DestinationConfig): Promise<string> {
  const file = { id: 'f1', path: 'a.mrc', sizeBytes: 0, sha256: '', filename: 'a.mrc', metadata: {} };
  const progress = { read: async () => null, save: async () => {} };
  const { signal } = new AbortController();
  try {
    const delivery = await new Destinations([config]).open('vault', 'o', 'grid', DATASET, signal);
    await delivery?.send({ ...file, read: () => assert.fail('nothing is read') }, progress, signal);
  } catch (error) {
    return describeFailure(error, 'vault');
  }
  return assert.fail(`a push to ${config.kind} has not failed`);
}

test('failure of a push: where the destination cannot be reached, its address is not said', async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  for (const config of configsAt(port)) {
    const message = await failAt(config);
    assert.match(message, /ECONNREFUSED/, config.kind);
    assert.doesNotMatch(message, new RegExp(`127\\.0\\.0\\.1|${port}`), config.kind);
  }
});

test('failure of a push: what answers is no Cryolift, or hangs up', async (context) => {
  for (const [answers, expected] of [
    [true, /The answer of the destination vault does not come from a Cryolift server/],
    [false, /The destination vault cannot be reached \(ECONNRESET\)/],
  ] as const) {
    const server = createServer((_, response) => {
      if (answers) response.end('<p>hello</p>');
      else response.socket?.resetAndDestroy();
    });
    context.after(() => server.close());
    const [cryolift] = configsAt(await listen(server));
    assert.match(await failAt(cryolift as DestinationConfig), expected);
  }
});

test('failure of a push: other messages stay as they are', () => {
  assert.equal(describeFailure(new PushRefused('A different file is there.'), 'vault'), 'A different file is there.');
  assert.equal(describeFailure(new Error('a file is not there any more'), 'vault'), 'a file is not there any more');
});
