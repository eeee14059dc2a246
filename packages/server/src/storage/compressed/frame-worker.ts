/** The thread that compresses: each message is bytes, and is answered with one zstd frame. */
import { constants as osConstants, platform, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { constants, zstdCompressSync } from 'node:zlib';

/** The default of zstd. Decoding takes as long at every level. */
const LEVEL = 3;
const OPTIONS = {
  params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
};

if (!parentPort) throw new Error('frame-worker runs as a worker thread');
const port = parentPort;
// On Linux this applies only to the calling thread.
if (platform() === 'linux') setPriority(osConstants.priority.PRIORITY_LOW);

port.on('message', (bytes: Uint8Array) => port.postMessage(zstdCompressSync(bytes, OPTIONS)));
