/** Parts are compressed for a slow network. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { parseLines, TestBench, Wire } from '../testing/test-process.ts';

const MIB = 1024 * 1024;
/** Slower than any encoder, on a busy machine, too; the file takes some seconds. */
const SLOW = ['--bwlimit', '2MiB', '--part-size', '512KiB'];

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** Counts of electrons: few values, at random. @returns its path, size and SHA-256. */
async function makeMovie(name: string) {
  const voxels = Buffer.alloc(12 * MIB);
  for (let at = 0, state = 1; at < voxels.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    voxels[at] = state < 2 ** 32 * 0.4 ? 1 : 0;
  }
  const bytes = Buffer.concat([buildHeader({ nx: 4096, ny: 3072, nz: 1, mode: 0 }), voxels]);
  const path = bench.path(name);
  await writeFile(path, bytes);
  return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function upload(path: string, url: string, ...flags: string[]) {
  const { code, stdout, stderr } = await bench.run(['upload', '--json', ...SLOW, ...flags, path], {
    CRYOLIFT_SERVER: url,
  });
  assert.equal(code, 0, stderr);
  return parseLines<{ event: string; sha256: string; sent_bytes: number; saved_bytes: number }>(stdout).at(-1);
}

test('compression: over a slow network fewer bytes are sent, and the file is whole', async (t) => {
  const { path, sizeBytes, sha256 } = await makeMovie('counts.mrc');
  const wire = await Wire.to(bench.url);
  t.after(() => wire.close());
  const done = await upload(path, wire.url);
  assert.equal(done?.sha256, sha256);
  assert.ok(done.saved_bytes > sizeBytes / 8, `${done.saved_bytes} of ${sizeBytes} bytes are saved`);
  assert.equal(done.sent_bytes + done.saved_bytes, sizeBytes);
  assert.ok(wire.carriedBytes < 0.9 * sizeBytes, `${wire.carriedBytes} bytes were carried`);
});

test('compression: --no-compress sends the bytes as they are', async () => {
  const { path, sizeBytes, sha256 } = await makeMovie('plain.mrc');
  const done = await upload(path, bench.url, '--no-compress');
  assert.deepEqual([done?.sha256, done?.saved_bytes, done?.sent_bytes], [sha256, 0, sizeBytes]);
});

test('compression: behind a proxy that drops Content-Encoding, the file is sent as it is', async (t) => {
  const { path, sha256 } = await makeMovie('proxied.mrc');
  const target = new URL(bench.url);
  let dropped = 0;
  const proxy = createServer((incoming, outgoing) => {
    const { 'content-encoding': coding, ...headers } = incoming.headers;
    if (coding !== undefined) dropped++;
    const { hostname: host, port } = target;
    const onward = httpRequest({ host, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(outgoing);
    });
    // The server answers a wrong length before it has read the body.
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  await once(proxy, 'listening');
  const done = await upload(path, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  assert.deepEqual([done?.sha256, done?.saved_bytes], [sha256, 0]);
  assert.ok(dropped > 0, 'a part was compressed');
});
