/** The lower bounds: the same bytes over the same loopback, hashed and written once, and nothing else. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createSecureServer } from 'node:tls';
import { makeCertificate } from '../../suites/certificate.ts';
import { makePayload, writeSlices } from '../connection.ts';
import { MeasuredProcess } from '../process.ts';
import type { System } from './system.ts';

const RECEIVER = new URL('../floors/receive.ts', import.meta.url).pathname;

/** @param digests how often each byte is hashed: with that of its part, and with that of the whole file. */
function floor(name: string, digests: 1 | 2, secure: boolean): System {
  const hashed = digests === 1 ? 'SHA-256' : 'SHA-256 twice';
  return {
    name,
    what: `${secure ? 'TLS: ' : ''}receive into one buffer, ${hashed}, \`pwrite\`; no HTTP, no records`,
    kind: secure ? 'tls' : 'upload',
    floor: name,
    async start(folder, { files, fileBytes, connections }) {
      const shareBytes = Math.floor((files * fileBytes) / connections);
      const sockets: Socket[] = [];
      const accepted = Promise.withResolvers<void>();
      const accept = (socket: Socket) => {
        if (sockets.push(socket) === connections) accepted.resolve();
      };
      const sender = secure ? createSecureServer(makeKeys(folder), accept) : createServer(accept);
      await once(sender.listen(0, '127.0.0.1'), 'listening');
      const { port } = sender.address() as AddressInfo;
      const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
      const args = [RECEIVER, url, connections, shareBytes, join(folder, 'received'), digests].map(String);
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
}

function makeKeys(folder: string): { cert: string; key: string } {
  const { pem, key } = makeCertificate(folder, 'localhost');
  return { cert: pem, key: readFileSync(key, 'utf8') };
}

export const FLOORS: readonly System[] = [
  floor('floor', 1, false),
  floor('floor-both', 2, false),
  floor('floor-tls', 1, true),
  floor('floor-tls-both', 2, true),
];
