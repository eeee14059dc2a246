/** Receives bytes over TCP, and prints their number every second. `node plain-receiver.ts HOST` */
import { type AddressInfo, createServer, type Socket } from 'node:net';

const sockets = new Set<Socket>();
let bytes = 0;
let beginMs: number | null = null;

const server = createServer((socket) => {
  beginMs ??= performance.now();
  sockets.add(socket);
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  // The sender closes the connection at the end.
  socket.on('error', () => {}).on('close', () => sockets.delete(socket));
}).listen(0, process.argv[2], () => {
  const { address, port } = server.address() as AddressInfo;
  console.log(`listening on http://${address}:${port}`);
});

setInterval(() => {
  if (beginMs === null) return;
  const seconds = (performance.now() - beginMs) / 1000;
  for (const socket of sockets) socket.write(`${JSON.stringify({ bytes, seconds })}\n`);
}, 1000);
