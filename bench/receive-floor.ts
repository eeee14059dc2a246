/**
 * Receives `connections` stretches of one file, hashes and writes them. It connects to the sender, because Node documents
 * reading into a buffer of one's own (`onread`) for outgoing connections only.
 *
 *   node receive-floor.ts PORT CONNECTIONS BYTES_OF_EACH FILE
 */
import { createHash } from 'node:crypto';
import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { MIB } from '@cryolift/protocol/plan';

const [, , port, connections, shareBytes, path] = process.argv;
const share = Number(shareBytes);
const fd = openSync(path ?? '', 'w');
ftruncateSync(fd, Number(connections) * share);
const block = Buffer.allocUnsafeSlow(MIB);
for (let nr = 0; nr < Number(connections); nr++) receive(nr * share);

function receive(begin: number): void {
  const hash = createHash('sha256');
  const end = begin + share;
  let at = begin;
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    onread: {
      buffer: block,
      callback(count) {
        const bytes = block.subarray(0, count);
        hash.update(bytes);
        writeSync(fd, bytes, 0, count, at);
        at += count;
        if (at === end) socket.write(hash.digest());
        return true;
      },
    },
  });
}
