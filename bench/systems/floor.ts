/** The lower bound: the same bytes over the same loopback, hashed once and written once, and nothing else. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { makePayload, writeSlices } from '../connection.ts';
import { MeasuredProcess } from '../process.ts';
import type { System } from './system.ts';

const RECEIVER = new URL('../receive-floor.ts', import.meta.url).pathname;

export const FLOOR: System = {
  name: 'floor',
  what: 'receive into one buffer, SHA-256, `pwrite`; no HTTP, no records',
  async start(folder, { files, fileBytes, connections }) {
    const shareBytes = Math.floor((files * fileBytes) / connections);
    const sockets: Socket[] = [];
    const accepted = Promise.withResolvers<void>();
    const sender = createServer((socket) => {
      if (sockets.push(socket) === connections) accepted.resolve();
    }).listen(0, '127.0.0.1');
    await once(sender, 'listening');
    const { port } = sender.address() as AddressInfo;
    const args = [RECEIVER, port, connections, shareBytes, join(folder, 'received')].map(String);
    const receiver = new MeasuredProcess(process.execPath, args);
    await accepted.promise;
    sender.close();
    const payload = makePayload(shareBytes);
    return {
      process: receiver,
      async send() {
        await Promise.all(
          sockets.map(async (socket) => {
            const acknowledged = once(socket, 'data');
            await Promise.all([writeSlices(socket, payload.slices), acknowledged]);
          }),
        );
        return connections * shareBytes;
      },
    };
  },
};
