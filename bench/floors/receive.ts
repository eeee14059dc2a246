/**
 * Receives `connections` stretches of one file, hashes and writes them. It connects to the sender, because Node documents
 * reading into a buffer of one's own (`onread`) for outgoing connections only.
 *
 *   node receive.ts URL CONNECTIONS BYTES_OF_EACH FILE DIGESTS
 *
 * URL: http, or https for TLS; HTTP itself is not spoken. DIGESTS: how often each byte is hashed.
 */
import { createHash } from 'node:crypto';
import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { KIB, MIB } from '@cryolift/protocol/plan';
import { connectTo } from '../connection.ts';

/** Read at once; a record of TLS has 16 KiB, so that several of them are written together. */
const BLOCK_BYTES = MIB;
/** Below this, what is left of the block would make reads short. */
const LEAST_BYTES = 64 * KIB;

const [, , url = '', connections, shareBytes, path = '', digests] = process.argv;
const share = Number(shareBytes);
const fd = openSync(path, 'w');
ftruncateSync(fd, Number(connections) * share);
for (let nr = 0; nr < Number(connections); nr++) await receive(nr * share);

async function receive(begin: number): Promise<void> {
  const hashes = Array.from({ length: Number(digests) }, () => createHash('sha256'));
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const end = begin + share;
  let at = begin;
  let filled = 0;
  const socket = await connectTo(url, {
    buffer: () => block.subarray(filled),
    callback(count) {
      filled += count;
      if (at + filled < end && block.length - filled >= LEAST_BYTES) return true;
      const bytes = block.subarray(0, filled);
      for (const hash of hashes) hash.update(bytes);
      writeSync(fd, bytes, 0, filled, at);
      at += filled;
      filled = 0;
      if (at === end) socket.write(hashes.map((hash) => hash.digest('hex')).join());
      return true;
    },
  });
}
