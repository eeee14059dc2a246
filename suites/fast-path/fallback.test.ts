/** A Node in which the fast path cannot read accepted connections: the server logs this and uses the standard path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSample, put } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

/** Runs before the server: sockets made of a handle do not know `onread` any more. */
const OTHER_NODE = `
  import net from 'node:net';
  import { syncBuiltinESMExports } from 'node:module';
  const { Socket } = net;
  net.Socket = function (options) { return new Socket(options?.handle ? { ...options, onread: undefined } : options); };
  net.Socket.prototype = Socket.prototype;
  syncBuiltinESMExports();
`;

async function storeOnePart(settings: Record<string, string>): Promise<string> {
  const server = await startServer(settings);
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  assert.equal((await put(call, upload, 1, bytes)).status, 201);
  assert.equal(await server.stop(), 0);
  const { stderr } = server;
  await server.discard();
  return stderr;
}

test('fallback: a Node without support uses the standard path, and the log reports it', async () => {
  const preload = `--import=data:text/javascript,${encodeURIComponent(OTHER_NODE)}`;
  assert.match(await storeOnePart({ NODE_OPTIONS: preload }), /does not support the fast path/);
});

test('fallback: nothing is logged when the fast path works or is turned off', async () => {
  for (const fast of ['true', 'false']) {
    assert.doesNotMatch(await storeOnePart({ CRYOLIFT_FAST_LANE: fast }), /does not support the fast path/);
  }
});
