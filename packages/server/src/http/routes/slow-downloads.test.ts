/** Downloads by clients that read slowly, or not to the end. The server uses the buffers of the bytes that it has sent again. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../../../../../suites/certificate.ts';
import { readConfig } from '../../config/config.ts';
import { makeFolder } from '../../db/test-rows.ts';
import { createLogger } from '../../ops/log.ts';
import { startServer } from '../../server.ts';
import { countDescriptors, needsProc } from '../../storage/disk/test-descriptors.ts';

const SECRET = 'a shared secret of 32 bytes or more';
/** More than the system keeps for a connection. */
const BYTES = randomBytes(24 * 1024 * 1024);

function signToken(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'ada', scope: 'uploads:write files:read' };
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

/** A running server with one published file. */
async function serveFile(t: TestContext, { isSecure, isFast }: { isSecure: boolean; isFast: boolean }) {
  const folder = await makeFolder(t);
  const { cert, key } = makeCertificate(folder, 'server');
  const dataFolder = join(folder, 'data');
  const env = {
    CRYOLIFT_DATA_DIR: dataFolder,
    CRYOLIFT_JWT_SECRET: SECRET,
    CRYOLIFT_FAST_LANE: String(isFast),
    ...(isSecure ? { CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key } : {}),
  };
  const server = await startServer(readConfig(env, { port: '0', accept: '.bin' }), createLogger('silent'));
  t.after(() => server.stop(1000));
  const headers = { authorization: `Bearer ${signToken()}` };

  async function send(method: string, path: string, options: RequestOptions, body?: Uint8Array | string) {
    const url = new URL(path, server.url);
    const all = { ...options, method, headers: { ...headers, ...options.headers }, agent: false as const };
    const call = isSecure ? requestSecure(url, { ...all, ca: readFileSync(cert) }) : requestPlain(url, all);
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    assert.ok((answer.statusCode ?? 500) < 300, `${method} ${path}: ${answer.statusCode}`);
    return answer;
  }
  const sendJson = async (path: string, body: object) => {
    const answer = await send('POST', path, { headers: { 'content-type': 'application/json' } }, JSON.stringify(body));
    return JSON.parse(Buffer.concat(await answer.toArray()).toString()) as Record<string, string>;
  };
  const { upload_id } = await sendJson('/uploads/init', {
    filename: 'a.bin',
    size: BYTES.length,
    part_size: BYTES.length,
  });
  (await send('PUT', `/uploads/${upload_id}/part/0`, {}, BYTES)).resume();
  const { file_id } = await sendJson(`/uploads/${upload_id}/complete`, {});
  const open = async (first: number, last: number) =>
    await send('GET', `/files/${file_id}/content`, { headers: { range: `bytes=${first}-${last}` } });
  return { dataFolder, open };
}

/** Reads all of an answer, with a pause after each `pauseBytes`. */
async function readSlowly(answer: IncomingMessage, pauseBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let readBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    readBytes += chunk.length;
    if (readBytes < pauseBytes) continue;
    readBytes = 0;
    await sleep(5);
  }
  return Buffer.concat(chunks);
}

for (const transport of [
  { isSecure: false, isFast: true },
  { isSecure: true, isFast: true },
  { isSecure: true, isFast: false },
]) {
  const title = `${transport.isSecure ? 'TLS' : 'plain'}, ${transport.isFast ? 'fast' : 'standard'} path`;
  test(`slow downloads, ${title}: each client gets its bytes, and nothing stays open`, needsProc, async (t) => {
    const { dataFolder, open } = await serveFile(t, transport);
    const last = BYTES.length - 1;
    const ranges = [0, 1, 100_000, 1_000_000, 3_000_000].map((first): [number, number] => [first, last - first]);
    const answers = await Promise.all(ranges.map(([first, end]) => open(first, end)));
    const aborted = await Promise.all([open(0, last), open(7, last)]);
    // Until nothing more fits into the buffers of the system, and beyond.
    await sleep(200);
    for (const answer of aborted) answer.destroy();
    await Promise.all(
      answers.map(async (answer, at) => {
        const bytes = await readSlowly(answer, (at + 1) * 256 * 1024);
        const [first, end] = ranges[at] as [number, number];
        assert.ok(bytes.equals(BYTES.subarray(first, end + 1)), `range ${at}: ${bytes.length} bytes`);
      }),
    );
    while (countDescriptors(join(dataFolder, 'files')) > 0) await sleep(10);
  });
}
