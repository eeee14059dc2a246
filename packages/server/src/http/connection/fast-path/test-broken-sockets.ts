/** Ways to adopt a connection in which a Node that behaves otherwise would fail. */
import { adopt } from './socket.ts';

export const BROKEN: Readonly<Record<string, typeof adopt>> = {
  'no handle': () => {
    throw new Error('the accepted socket has no handle');
  },
  'reads elsewhere': (accepted, onread) =>
    adopt(accepted, { ...onread, callback: (count) => onread.callback(count, new Uint8Array(8)) }),
  'one buffer for all': (accepted, onread) => {
    const first = (onread.buffer as () => Uint8Array)();
    return adopt(accepted, { ...onread, buffer: () => first });
  },
  'does not pause': (accepted, onread) => {
    const socket = adopt(accepted, onread);
    socket.pause = () => socket;
    return socket;
  },
};
