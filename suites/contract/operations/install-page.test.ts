/** The one-file programs that a server offers at `/install`. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { sha256Hex } from '../sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'cryolift-programs-'));
const program = randomBytes(200_000);
const NAME = 'cryolift-linux-x64';
let server: OwnServer;

before(async () => {
  const dist = join(folder, 'dist');
  mkdirSync(dist);
  writeFileSync(join(folder, 'cryolift-secret'), 'outside');
  writeFileSync(join(dist, NAME), program);
  writeFileSync(join(dist, 'notes.txt'), 'not a program');
  writeFileSync(join(dist, `${NAME}.cdx.json`), '{}');
  const sums = [`${sha256Hex(program)}  ${NAME}`, `${'0'.repeat(64)}  cryolift-win-x64.exe`];
  writeFileSync(join(dist, 'SHA256SUMS'), `${sums.join('\n')}\n`);
  server = await startServer({ CRYOLIFT_DIST_DIR: dist });
});

after(async () => {
  await server.discard();
  rmSync(folder, { recursive: true });
});

test('install: the page names the programs that are there, with size and digest, and needs no token', async () => {
  const answer = await fetch(`${server.url}/install`);
  const page = await answer.text();
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  assert.ok(page.includes(`href="/install/${NAME}"`));
  assert.ok(page.includes(sha256Hex(program)));
  assert.ok(page.includes(`--server ${server.url} `), 'the commands name this server');
  assert.ok(!page.includes('href="/install/cryolift-win-x64.exe"'), 'a program that is missing is not offered');
  assert.doesNotMatch(page, /<script/);
});

test('install: a program and its digests are downloaded, also in ranges', async () => {
  const whole = await fetch(`${server.url}/install/${NAME}`);
  assert.equal(whole.headers.get('content-disposition'), 'attachment');
  assert.ok(Buffer.from(await whole.arrayBuffer()).equals(program));
  const range = await fetch(`${server.url}/install/${NAME}`, { headers: { range: 'bytes=100-199' } });
  assert.equal(range.status, 206);
  assert.ok(Buffer.from(await range.arrayBuffer()).equals(program.subarray(100, 200)));
  const sums = await fetch(`${server.url}/install/SHA256SUMS`);
  assert.match(await sums.text(), new RegExp(`^${sha256Hex(program)}  ${NAME}$`, 'm'));
  assert.equal((await fetch(`${server.url}/install/${NAME}.cdx.json`)).status, 200);
});

test('install: nothing else of the folder, or outside of it, is sent', async () => {
  for (const path of ['notes.txt', '../cryolift-secret', '%2e%2e/cryolift-secret', '..%2fcryolift-secret', 'absent']) {
    const answer = await fetch(`${server.url}/install/${path}`);
    assert.equal(answer.status, 404, path);
    assert.equal((await answer.json()).code, 'not_found', path);
  }
});

test('install: a folder without the list offers nothing; one that cannot be read is an error', async (t) => {
  const dist = join(folder, 'empty');
  mkdirSync(dist);
  const other = await startServer({ CRYOLIFT_DIST_DIR: dist });
  t.after(() => other.discard());
  const empty = await fetch(`${other.url}/install`);
  assert.deepEqual([empty.status, (await empty.json()).code], [404, 'not_found']);
  // Reading a folder fails with EISDIR.
  mkdirSync(join(dist, 'SHA256SUMS'));
  const broken = await fetch(`${other.url}/install`);
  assert.deepEqual([broken.status, (await broken.json()).code], [500, 'internal']);
});

test('install: without the setting there is no such page', async (t) => {
  const plain = await startServer();
  t.after(() => plain.discard());
  const answer = await fetch(`${plain.url}/install`);
  assert.equal(answer.status, 404);
  assert.equal((await answer.json()).code, 'not_found');
});
