import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { adopt, worksHere } from './socket.ts';

test('fast path socket: this version of Node works as expected', async () => {
  assert.equal(await worksHere(), true);
});

test('fast path socket: a Node that behaves otherwise is detected', async () => {
  const broken: Record<string, typeof adopt> = {
    'no handle': () => {
      throw new Error('the accepted socket has no handle');
    },
    'reads elsewhere': (accepted, onread) =>
      adopt(accepted, { ...onread, callback: (count) => onread.callback(count, new Uint8Array(8)) }),
    'never reads': (accepted) => {
      accepted.destroy();
      return new Socket();
    },
    'one buffer for all': (accepted, onread) => {
      const first = (onread.buffer as () => Uint8Array)();
      return adopt(accepted, { ...onread, buffer: () => first });
    },
    'does not pause': (accepted, onread) => {
      const socket = adopt(accepted, onread);
      socket.pause = () => socket;
      return socket;
    },
    'ends what is half open': (accepted, onread) => {
      const socket = adopt(accepted, onread);
      socket.write = () => true;
      return socket;
    },
  };
  for (const [name, tried] of Object.entries(broken)) assert.equal(await worksHere(tried), false, name);
});
