/**
 * The floor of a download: reads ranges of one file into a block, and writes the block to the socket; of HTTP only what the
 * client needs. `node download.ts FILE`
 */
import { openSync, readSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { MIB } from '@cryolift/protocol/plan';

const fd = openSync(process.argv[2] ?? '', 'r');

const server = createServer((socket) => {
  socket.setEncoding('latin1').once('data', (head: string) => {
    const [, begin, last] = /bytes=(\d+)-(\d+)/.exec(head) ?? [];
    const end = Number(last) + 1;
    socket.write(`HTTP/1.1 206 Partial Content\r\nContent-Length: ${end - Number(begin)}\r\n\r\n`);
    send(socket, Number(begin), end);
  });
}).listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

function send(socket: Socket, begin: number, end: number): void {
  const block = Buffer.allocUnsafeSlow(MIB);
  let at = begin;
  const next = () => {
    if (at === end) return;
    const count = readSync(fd, block, 0, Math.min(block.length, end - at), at);
    at += count;
    // The block is free again once the socket is done with it.
    socket.write(block.subarray(0, count), next);
  };
  next();
}
