/** nginx on the machine of the server: a unix socket between the two, and files that nginx reads itself. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { publish } from '../contract/upload.ts';
import { callWith } from '../contract/wire.ts';
import { bring, NGINX, readSendfileLocation } from './engine.ts';
import { Site } from './site.ts';

const skip = bring(NGINX) ?? false;
const MIB = 1024 * 1024;

test('nginx: parts and downloads by a unix socket', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-socket-'));
  const site = await Site.start(NGINX, [], { CRYOLIFT_SOCKET: join(folder, 'server.sock') });
  t.after(async () => {
    await site.discard();
    await rm(folder, { recursive: true });
  });
  const bytes = makeMrc(5 * MIB);
  const path = join(site.folder, 'socket.mrc');
  await writeFile(path, bytes);
  const [done] = (await site.begin(['upload', '--json', '--part-size', '1MiB', path], 'ada').lines(0)).slice(-1);
  assert.equal(done?.sha256, sha256Hex(bytes));
  const call = callWith(site, { authorization: `Bearer ${site.token({ sub: 'ada' })}` });
  const content = await call('GET', `/files/${done?.file_id}/content`);
  assert.equal(sha256Hex(content.body), done?.sha256);
});

test('nginx: it sends files itself, as the guide says', { skip }, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'cryolift-sendfile-'));
  const changes = [['  location / {', `${readSendfileLocation(dataDir)}\n  location / {`]] as const;
  const settings = { CRYOLIFT_SENDFILE: 'x-accel-redirect:/cryolift-files/', CRYOLIFT_DATA_DIR: dataDir };
  const site = await Site.start(NGINX, changes, settings);
  t.after(async () => {
    await site.discard();
    await rm(dataDir, { recursive: true });
  });
  const call = callWith(site, { authorization: `Bearer ${site.token({ sub: 'ada' })}`, host: new URL(site.url).host });
  const bytes = makeMrc(3 * MIB);
  const file: FileRecord = await publish(call, bytes, { filename: 'Å 50% & more?.mrc' });
  const path = `/files/${file.file_id}/content`;
  const read = (headers = {}) => call('GET', path, { headers });

  const whole = await read();
  assert.equal(whole.headers.server?.startsWith('nginx'), true);
  assert.equal(sha256Hex(whole.body), file.sha256);
  const tag = `"${file.sha256}"`;
  assert.equal(whole.headers.etag, tag);
  assert.match(whole.headers['repr-digest'] ?? '', /^sha-256=:/);
  assert.match(whole.headers['content-disposition'] ?? '', /^attachment; /);
  assert.match(whole.headers['content-security-policy'] ?? '', /sandbox/);
  assert.equal(whole.headers['x-accel-redirect'], undefined);
  // nginx has sent it: the access log of the server would count no bytes, and the time is that of the record all the same.
  assert.equal(Date.parse(whole.headers['last-modified'] ?? ''), Math.floor(Date.parse(file.created_at) / 1000) * 1000);

  const cases: [headers: Record<string, string>, status: number, bytes: Buffer | null][] = [
    [{ range: 'bytes=1000-1999' }, 206, bytes.subarray(1000, 2000)],
    [{ range: 'bytes=-5' }, 206, bytes.subarray(-5)],
    [{ range: 'bytes=0-9', 'if-range': tag }, 206, bytes.subarray(0, 10)],
    [{ range: 'bytes=0-9', 'if-range': '"another"' }, 200, bytes],
    [{ range: 'bytes=0-9', 'if-match': tag }, 206, bytes.subarray(0, 10)],
    [{ 'if-match': '"another"' }, 412, null],
    [{ 'if-none-match': tag }, 304, null],
    [{ range: 'bytes=99999999-' }, 416, null],
    [{ range: 'bytes=0-1,5-6' }, 200, bytes],
  ];
  for (const [headers, status, expected] of cases) {
    const answer = await read(headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
    if (expected) assert.ok(answer.body.equals(expected), JSON.stringify(headers));
  }
  // Nobody gets there without the server.
  for (const inside of [`/cryolift-files/${file.file_id}/x.mrc`, '/cryolift-files/']) {
    assert.equal((await fetch(`${site.url}${inside}`)).status, 404);
  }
  const stranger = callWith(site, { authorization: `Bearer ${site.token({ sub: 'eve' })}` });
  assert.equal((await stranger('GET', path)).status, 404);
});
