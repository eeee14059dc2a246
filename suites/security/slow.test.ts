/** Five hundred connections that send next to nothing (slow-loris), and one honest upload beside them. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import type { Session } from '@cryolift/protocol/messages';
import { digestHeader } from '../contract/sample.ts';
import { complete, open, PART_BYTES, partPath } from '../contract/upload.ts';
import { callAs, printHead } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

const SLOW = 500;
const DRIP_MS = 500;
const PART = 8 * 1024 * 1024;
const PARTS = 16;
/** Of its speed alone. Both are the best of several, for others use this machine, too. */
const LEAST_SHARE = 0.8;
const ROUNDS = 6;

const server = await startServer({ CRYOLIFT_ACCEPT: 'bin', CRYOLIFT_LOG_LEVEL: 'warn' });
after(() => server.discard());
const body = Buffer.alloc(PART, 7);
const digest = { 'content-digest': digestHeader(body) };

/** @returns bytes per second. */
async function uploadHonestly(): Promise<number> {
  const call = callAs(server, { sub: 'honest' });
  const session = await open(call, { filename: 'a.bin', size: PART * PARTS, part_size: PART });
  const missing = Array.from({ length: PARTS }, (_, idx) => idx);
  const beganMs = performance.now();
  const lane = async () => {
    for (let idx = missing.pop(); idx !== undefined; idx = missing.pop()) {
      const { status } = await call('PUT', partPath(session, idx), { body, headers: digest });
      assert.equal(status, 201);
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  const seconds = (performance.now() - beganMs) / 1000;
  const { status } = await complete(call, session);
  assert.equal(status, 200);
  return (PART * PARTS) / seconds;
}

class Drips {
  readonly #sockets: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Half of them never finish a head, half never a body: of parts, which have time as long as something comes. */
  static async start(session: Session): Promise<Drips> {
    const drips = new Drips();
    const { hostname, port } = new URL(server.url);
    const authorization = `Bearer ${server.token({ sub: 'slow' })}`;
    for (let at = 0; at < SLOW; at++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.resume();
      await new Promise((resolve) => socket.once('connect', resolve));
      const length = String(PART_BYTES);
      if (at % 2 === 0) socket.write('GET /limits HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      else socket.write(printHead('PUT', partPath(session, at >> 1), { authorization, 'content-length': length }));
      drips.#sockets.push(socket);
    }
    drips.#timer = setInterval(() => {
      for (const socket of drips.#sockets) if (socket.writable) socket.write('x');
    }, DRIP_MS);
    return drips;
  }

  get open(): number {
    return this.#sockets.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}

test(`an upload keeps its speed beside ${SLOW} connections that send next to nothing`, async () => {
  const session = await open(callAs(server, { sub: 'slow' }), { filename: 'slow.bin', size: PART_BYTES * (SLOW / 2) });
  await uploadHonestly();
  let [alone, beside] = [0, 0];
  for (let round = 0; round < ROUNDS && (round < 2 || beside < LEAST_SHARE * alone); round++) {
    alone = Math.max(alone, await uploadHonestly());
    const drips = await Drips.start(session);
    beside = Math.max(beside, await uploadHonestly());
    assert.ok(drips.open > SLOW / 2, `${drips.open} slow connections were open`);
    drips.stop();
  }
  assert.ok(beside >= LEAST_SHARE * alone, `${Math.round((100 * beside) / alone)} % of its speed alone`);
});

test('a head that does not end is given up after 30 s; a body that stalls, after its own time', async () => {
  const own = await startServer({ CRYOLIFT_ACCEPT: 'bin', CRYOLIFT_BODY_IDLE_TIMEOUT: '1s' });
  const { hostname, port } = new URL(own.url);
  const socket = connect(Number(port), hostname);
  const beganMs = performance.now();
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
  const seconds = (performance.now() - beganMs) / 1000;
  assert.ok(seconds >= 25, `given up after ${seconds} s`);
  await own.discard();
});
