import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { adopt, worksHere } from './socket.ts';
import { BROKEN } from './test-broken-sockets.ts';

test('fast path socket: this version of Node works as expected', async () => {
  assert.equal(await worksHere(), true);
});

test('fast path socket: a Node that behaves otherwise is detected', async () => {
  const broken: Record<string, typeof adopt> = {
    ...BROKEN,
    'never reads': (accepted) => {
      accepted.destroy();
      return new Socket();
    },
    'ends what is half open': (accepted, onread) => {
      const socket = adopt(accepted, onread);
      socket.write = () => true;
      return socket;
    },
  };
  for (const [name, tried] of Object.entries(broken)) assert.equal(await worksHere(tried), false, name);
});
