/** Sends over TCP for some time; prints what has arrived by then. `node plain-sender.ts URL CONNECTIONS SECONDS` */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { KIB } from '@cryolift/protocol/plan';

const { hostname, port } = new URL(process.argv[2] ?? '');
const [connections, seconds] = [Number(process.argv[3]), Number(process.argv[4])];
const block = Buffer.alloc(64 * KIB, 'cryolift');

const sockets = Array.from({ length: connections }, () => connect({ host: hostname, port: Number(port) }));
await Promise.all(sockets.map((socket) => once(socket, 'connect')));
for (const socket of sockets) flood(socket);
for await (const line of createInterface(sockets[0]!)) {
  if ((JSON.parse(line) as { seconds: number }).seconds < seconds) continue;
  console.log(line);
  break;
}
for (const socket of sockets) socket.resetAndDestroy();

function flood(socket: Socket): void {
  const fill = () => {
    while (socket.write(block));
  };
  socket.on('drain', fill);
  fill();
}
