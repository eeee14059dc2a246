/** The floor of a sender: reads a file, hashes it and sends it to every client. `node send.ts FILE` */
import { createHash } from 'node:crypto';
import { openSync, readSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { MIB } from '@cryolift/protocol/plan';

const fd = openSync(process.argv[2] ?? '', 'r');
const block = Buffer.allocUnsafeSlow(MIB);
const hash = createHash('sha256');

const server = createServer((socket) => {
  server.close();
  const send = () => {
    const count = readSync(fd, block);
    const bytes = block.subarray(0, count);
    hash.update(bytes);
    // The block is free again once the socket is done with it.
    if (count > 0) socket.write(bytes, send);
    else socket.end(hash.digest());
  };
  send();
}).listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
