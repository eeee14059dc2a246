/** Uploads of tus on a server with a bucket, whose parts cannot be read or continued: pieces are objects of their own. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FilePage, FileRecord } from '@cryolift/protocol/messages';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { create, offsetOf, patch, pathOf, post, printMetadata, tusAs } from '../contract/tus/tus-client.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { missingService } from './s3-service.ts';
import { findService } from './shared-service.ts';

const MIB = 1024 * 1024;
const CHUNK = 500 * 1024;
const NAME = { filename: 'a.mrc' };
const options = { skip: missingService(), timeout: 200_000 };

async function startOnBucket(t: TestContext, prefix: string) {
  const service = await findService();
  const server = await startServer(service.settings(prefix));
  t.after(() => server.discard());
  const claims = { sub: 'survivor', scope: 'admin' };
  const bucket = new Bucket({ ...service, prefix: '', pathStyle: true });
  t.after(() => bucket.close());
  /** Keys of the pieces that are stored. */
  const listPieces = async () => await Array.fromAsync(bucket.list(`${prefix}/pieces/`));
  return { server, tus: tusAs(server, claims), call: callAs(server, claims), listPieces };
}

type Call = ReturnType<typeof callAs>;

/** Waits until the only file of the owner has its digest. */
async function readFile(call: Call): Promise<FileRecord> {
  for (;;) {
    const { items } = (await call('GET', '/files')).json<FilePage>();
    const [file] = items;
    if (file && file.sha256 !== null) return file;
    await sleep(50);
  }
}

// Invariants 1, 2
test('s3 append: chunks of 500 KiB advance through kill -9, and leave no pieces', options, async (t) => {
  const { server, tus, call, listPieces } = await startOnBucket(t, 'chunks');
  const bytes = makeMrc(6 * MIB + 1234);
  const path = await create(tus, { 'upload-length': String(bytes.length) }, NAME);
  let acknowledged = 0;
  for (let chunk = 0; acknowledged < bytes.length; chunk++) {
    const body = bytes.subarray(acknowledged, acknowledged + CHUNK);
    const answer = await patch(tus, path, acknowledged, body);
    assert.equal(answer.status, 204, answer.body.toString());
    acknowledged += body.length;
    if (chunk !== 4 && chunk !== 11) continue;
    await server.kill9();
    await server.restart();
    assert.equal(await offsetOf(tus, path), acknowledged);
  }
  assert.equal((await readFile(call)).sha256, sha256Hex(bytes));
  assert.deepEqual(await listPieces(), []);
});

test('s3 append: one body of many parts, and one whose length is not known', options, async (t) => {
  const { tus, call, listPieces } = await startOnBucket(t, 'bodies');
  const bytes = makeMrc(11 * MIB + 5);
  const whole = await create(tus, { 'upload-length': String(bytes.length) }, NAME);
  assert.equal((await patch(tus, whole, 0, bytes)).status, 204);
  const first = await readFile(call);
  assert.equal(first.sha256, sha256Hex(bytes));
  assert.equal((await call('DELETE', `/files/${first.file_id}`)).status, 204);
  const deferred = await create(tus, { 'upload-defer-length': '1' }, NAME);
  assert.equal((await patch(tus, deferred, 0, bytes.subarray(0, 7 * MIB))).status, 204);
  const headers = { 'upload-length': String(bytes.length) };
  const last = await patch(tus, deferred, 7 * MIB, bytes.subarray(7 * MIB), headers);
  assert.equal(last.status, 204, last.body.toString());
  assert.equal((await readFile(call)).sha256, sha256Hex(bytes));
  assert.deepEqual(await listPieces(), []);
});

test('s3 append: partial uploads are concatenated, and their pieces freed', options, async (t) => {
  const { tus, call, listPieces } = await startOnBucket(t, 'partials');
  const bytes = makeMrc(7 * MIB + 77);
  const border = 3 * MIB + 1;
  const paths: string[] = [];
  for (const body of [bytes.subarray(0, border), bytes.subarray(border)]) {
    const headers = { 'upload-length': String(body.length), 'upload-concat': 'partial' };
    const path = await create(tus, headers, {});
    assert.equal((await patch(tus, path, 0, body)).status, 204);
    paths.push(path);
  }
  assert.ok((await listPieces()).length > 1);
  const final = await post(tus, {
    'upload-concat': `final;${paths.join(' ')}`,
    'upload-metadata': printMetadata(NAME),
  });
  assert.equal(final.status, 201, final.body.toString());
  assert.ok(pathOf(final));
  assert.equal((await readFile(call)).sha256, sha256Hex(bytes));
  for (let left = await listPieces(); left.length > 0; left = await listPieces()) await sleep(50);
});

test('s3 append: a cancelled upload leaves no pieces', options, async (t) => {
  const { tus, listPieces } = await startOnBucket(t, 'cancelled');
  const path = await create(tus, { 'upload-length': String(8 * MIB) }, NAME);
  assert.equal((await patch(tus, path, 0, makeMrc(8 * MIB).subarray(0, CHUNK))).status, 204);
  assert.equal((await listPieces()).length, 1);
  assert.equal((await tus('DELETE', path)).status, 204);
  assert.deepEqual(await listPieces(), []);
});
