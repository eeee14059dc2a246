/** One part at two servers: one of them stores it, and what was acknowledged is what is published. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { digestHeader, sha256Hex } from '../contract/sample.ts';
import { complete, eventually, open, partPath } from '../contract/upload.ts';
import { type Answer, Connection, callAs, printHead } from '../contract/wire.ts';
import type { OwnServer } from '../server-under-test.ts';
import { listStored, options, startTwo } from './several-servers.ts';

const PART_BYTES = 300_000;
const ROUNDS = 25;
/** Longer than the lease of a part, 20 s. */
const PAUSE_MS = 22_000;
const seed = Number(process.env.CRYOLIFT_TEST_SEED ?? Math.floor(Math.random() * 1e9));
const owner = { sub: 'ada' };

/** Mulberry32. @returns a number from 0 to 1 at each call. */
function makeRandom(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Sends part 0 in pieces, with a pause before each. */
class SlowPart {
  readonly bytes: Buffer = randomBytes(PART_BYTES);
  readonly #connection: Connection;
  #sentBytes = 0;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Sends the head. */
  static async begin(server: OwnServer, upload: UploadRecord): Promise<SlowPart> {
    const part = new SlowPart(await Connection.open(server.url));
    const headers = {
      authorization: `Bearer ${server.token(owner)}`,
      'content-length': String(PART_BYTES),
      'content-digest': digestHeader(part.bytes),
    };
    part.#connection.send(printHead('PUT', partPath(upload, 0), headers));
    return part;
  }

  send(untilBytes: number): void {
    this.#connection.send(this.bytes.subarray(this.#sentBytes, untilBytes));
    this.#sentBytes = untilBytes;
  }

  /** Sends the rest. @returns null when the connection was lost. */
  async end(): Promise<Answer | null> {
    this.send(PART_BYTES);
    return await this.#connection.answer('PUT').catch(() => null);
  }

  close(): void {
    this.#connection.close();
  }
}

async function openUpload(server: OwnServer): Promise<UploadRecord> {
  return await open(callAs(server, owner), { filename: 'a.bin', size: PART_BYTES, part_size: 5 * 1024 * 1024 });
}

/** Asserts that nothing else was stored; completes the upload, and asserts that its file is these bytes at each server. */
async function assertPublished(servers: readonly OwnServer[], upload: UploadRecord, bytes: Buffer): Promise<void> {
  assert.equal((await listStored(upload.upload_id))?.length, 1, 'one body was stored for the part');
  const answer = await complete(callAs(servers[0] as OwnServer, owner), upload, { sha256: sha256Hex(bytes) });
  assert.equal(answer.status, 200, answer.body.toString());
  const { file_id } = answer.json<FileRecord>();
  for (const server of servers) {
    const content = await callAs(server, owner)('GET', `/files/${file_id}/content`);
    assert.equal(sha256Hex(content.body), sha256Hex(bytes), `at ${server.url}`);
  }
}

/** Begins at the server, and waits until it has taken the lease of the part: half of the bytes are sent. */
async function beginHalf(server: OwnServer, upload: UploadRecord): Promise<SlowPart> {
  const part = await SlowPart.begin(server, upload);
  part.send(PART_BYTES / 2);
  const isReceiving = async () => /^cryolift_parts_under_way 1$/m.test(await readMetrics(server));
  await eventually(isReceiving, (is) => is);
  return part;
}

async function readMetrics(server: OwnServer): Promise<string> {
  return await (await fetch(`${server.url}/metrics`)).text();
}

// Invariant 2
test('one part: of two bodies at two servers one gets 201, and the file has its bytes', options, async (t) => {
  t.diagnostic(`CRYOLIFT_TEST_SEED=${seed}`);
  const random = makeRandom(seed);
  const servers = await startTwo(t);
  for (let round = 0; round < ROUNDS; round++) {
    const upload = await openUpload(servers[0]);
    const order = random() < 0.5 ? servers : [...servers].reverse();
    const answers = await Promise.all(
      order.map(async (server) => {
        await sleep(random() * 60);
        const part = await SlowPart.begin(server, upload);
        for (let piece = 1; piece < 4; piece++) {
          await sleep(random() * 40);
          part.send(Math.floor((piece * PART_BYTES) / 4));
        }
        const answer = await part.end();
        part.close();
        return { part, status: answer?.status, body: answer?.body.toString() };
      }),
    );
    const [first, second] = answers.map(({ status }) => status).sort();
    // 503: it was replaced, and did not learn the outcome in time.
    const isRight = first === 201 && (second === 409 || second === 503);
    assert.ok(isRight, `round ${round}: ${answers.map(({ body }) => body).join('\n')}`);
    const winner = answers.find(({ status }) => status === 201);
    await assertPublished(servers, upload, winner?.part.bytes as Buffer);
  }
});

// Invariant 2
test('one part: a server that was stopped for longer than its lease replaces nothing', options, async (t) => {
  const servers = await startTwo(t);
  const [one, two] = servers;
  const upload = await openUpload(one);
  const slow = await beginHalf(one, upload);
  one.signal('SIGSTOP');
  const resumed = sleep(PAUSE_MS).then(() => one.signal('SIGCONT'));
  const fast = await SlowPart.begin(two, upload);
  fast.send(PART_BYTES);
  await resumed;
  const [late, stored] = await Promise.all([slow.end(), fast.end()]);
  assert.equal(stored?.status, 201, `${stored?.body}`);
  assert.notEqual(late?.status, 201);
  for (const part of [slow, fast]) part.close();
  await assertPublished(servers, upload, fast.bytes);
});

test('one part: after kill -9 of the server that receives it, another one stores it', options, async (t) => {
  const servers = await startTwo(t);
  const [one, two] = servers;
  const upload = await openUpload(one);
  const slow = await beginHalf(one, upload);
  await one.kill9();
  slow.close();
  const fast = await SlowPart.begin(two, upload);
  const stored = await fast.end();
  assert.equal(stored?.status, 201, `${stored?.body}`);
  fast.close();
  await one.restart();
  await assertPublished(servers, upload, fast.bytes);
});
