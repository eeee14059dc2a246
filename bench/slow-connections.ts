/**
 * How much of its speed an upload keeps beside 500 connections that send next to nothing: `npm run bench:slow-connections`.
 * Both are the best of several rounds, in turns, in one run. It was 0.9 or more on two idle cores.
 */
import { open, PART_BYTES, partPath } from '../suites/contract/upload.ts';
import { callAs } from '../suites/contract/wire.ts';
import { Drips } from '../suites/security/drips.ts';
import { startServer } from '../suites/server-under-test.ts';

const SLOW = 500;
const PART = 8 * 1024 * 1024;
const PARTS = 16;
const ROUNDS = 6;

const server = await startServer({ CRYOLIFT_ACCEPT: 'bin', CRYOLIFT_LOG_LEVEL: 'warn' });
const body = Buffer.alloc(PART, 7);

/** @returns bytes per second. */
async function upload(): Promise<number> {
  const call = callAs(server, { sub: 'honest' });
  const upload = await open(call, { filename: 'a.bin', size: PART * PARTS, part_size: PART });
  const missing = Array.from({ length: PARTS }, (_, idx) => idx);
  const beganMs = performance.now();
  const send = async () => {
    for (let idx = missing.pop(); idx !== undefined; idx = missing.pop()) {
      const { status } = await call('PUT', partPath(upload, idx), { body });
      if (status !== 201) throw new Error(`a part was answered ${status}`);
    }
  };
  await Promise.all([send(), send(), send()]);
  const seconds = (performance.now() - beganMs) / 1000;
  await call('DELETE', `/uploads/${upload.upload_id}`);
  return (PART * PARTS) / seconds;
}

try {
  const size = PART_BYTES * (SLOW / 2);
  const slow = await open(callAs(server, { sub: 'slow' }), { filename: 'slow.bin', size });
  await upload();
  let [alone, beside] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    alone = Math.max(alone, await upload());
    const drips = await Drips.start(server, slow, SLOW);
    beside = Math.max(beside, await upload());
    drips.stop();
  }
  const print = (bytesPerSecond: number) => `${Math.round(bytesPerSecond / 2 ** 20)} MiB/s`;
  console.log(
    `alone ${print(alone)}, beside ${SLOW} slow connections ${print(beside)}: ${(beside / alone).toFixed(2)}`,
  );
} finally {
  await server.discard();
}
