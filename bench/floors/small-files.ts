/**
 * The floor of small files: receives a body, hashes it and writes it to a new file, which is flushed before the answer; of
 * HTTP only what the client needs, and no records. `node small-files.ts FOLDER BYTES_OF_EACH`
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';

const [, , folder = '', sizeBytes] = process.argv;
let count = 0;

const server = createServer((socket) => {
  let received = Buffer.alloc(0);
  socket.setNoDelay().on('data', async (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
    if (body.length < Number(sizeBytes)) return;
    received = Buffer.alloc(0);
    createHash('sha256').update(body).digest();
    const file = await open(join(folder, `${count++}`), 'wx');
    await file.write(body);
    await file.sync();
    await file.close();
    socket.write('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
  });
}).listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
