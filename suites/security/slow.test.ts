/** Five hundred connections that send next to nothing (slow-loris), and one honest upload beside them. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { digestHeader } from '../contract/sample.ts';
import { complete, open, PART_BYTES, partPath } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { DRIP_MS, Drips } from './drips.ts';

const SLOW = 500;
const PART = 8 * 1024 * 1024;
const PARTS = 16;

const server = await startServer({ CRYOLIFT_ACCEPT: 'bin', CRYOLIFT_LOG_LEVEL: 'warn' });
after(() => server.discard());
const body = Buffer.alloc(PART, 7);
const digest = { 'content-digest': digestHeader(body) };

async function uploadHonestly(): Promise<void> {
  const call = callAs(server, { sub: 'honest' });
  const upload = await open(call, { filename: 'a.bin', size: PART * PARTS, part_size: PART });
  const missing = Array.from({ length: PARTS }, (_, idx) => idx);
  const worker = async () => {
    for (let idx = missing.pop(); idx !== undefined; idx = missing.pop()) {
      const { status } = await call('PUT', partPath(upload, idx), { body, headers: digest });
      assert.equal(status, 201);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  const { status } = await complete(call, upload);
  assert.equal(status, 200);
}

test(`slow connections: an upload comes through beside ${SLOW} of them, which stay open`, async () => {
  const upload = await open(callAs(server, { sub: 'slow' }), { filename: 'slow.bin', size: PART_BYTES * (SLOW / 2) });
  const drips = await Drips.start(server, upload, SLOW);
  await uploadHonestly();
  assert.ok(drips.open > SLOW / 2, `${drips.open} slow connections were open`);
  drips.stop();
});

test('slow connections: a head that does not end is given up', async () => {
  const own = await startServer({ CRYOLIFT_ACCEPT: 'bin', CRYOLIFT_BODY_IDLE_TIMEOUT: '1s' });
  const { hostname, port } = new URL(own.url);
  const socket = connect(Number(port), hostname);
  socket.write('GET /limits HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const drip = setInterval(() => socket.write('x'), DRIP_MS);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(drip);
  assert.match(answer, /^HTTP\/1\.1 408 .*"code":"body_timeout"/s);
  await own.discard();
});
