/** A Node in which accepted connections cannot be read as the fast lane does: the server says so and serves all the same. */
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
  const { session, bytes } = await openSample(call);
  assert.equal((await put(call, session, 1, bytes)).status, 201);
  assert.equal(await server.stop(), 0);
  const { stderr } = server;
  await server.discard();
  return stderr;
}

test('where the lane does not work, parts go the ordinary one, and the log says so', async () => {
  const preload = `--import=data:text/javascript,${encodeURIComponent(OTHER_NODE)}`;
  assert.match(await storeOnePart({ NODE_OPTIONS: preload }), /does not support the fast path/);
});

test('where it works, or is turned off, nothing is said', async () => {
  for (const fast of ['true', 'false']) {
    assert.doesNotMatch(await storeOnePart({ CRYOLIFT_FAST_LANE: fast }), /lane/);
  }
});
