/**
 * A byte that turns on the disk is found before a client takes it for right. The scrub that finds one in a published file is
 * tested in `suites/contract/access/admin.test.ts`, one in the bytes of an upload over a restart in
 * `suites/contract/files/lost-bytes.test.ts`, one in a bucket in `suites/engines/s3-server.test.ts`.
 */
import assert from 'node:assert/strict';
import { chmodSync, closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FileRecord, ScrubReport, UploadRecord } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { complete, eventually, openSample, publish, put, putAll } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { removeFolder } from '../crash-points/deployments.ts';
import { startServer } from '../server-under-test.ts';
import { downloadBy } from './download.ts';
import { makeFolder } from './trouble-site.ts';

const server = await startServer();
const folder = makeFolder();
after(async () => {
  await server.discard();
  removeFolder(folder);
});
const call = callAs(server, { sub: 'ada' });
const admin = callAs(server, { sub: 'root', scope: 'admin' });

function turnBit(path: string, at: number): void {
  chmodSync(path, 0o600);
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}

function turnStagedBit({ upload_id, part_size }: UploadRecord, idx: number): void {
  turnBit(join(server.dataDir, 'staging', upload_id), idx * part_size + 100);
}

// Invariant 12
test('bit rot: a download of a file with a turned bit fails, and leaves no file', async () => {
  const file = await publish(call, makeMrc(300_000));
  turnBit(join(server.dataDir, 'files', file.file_id, file.filename), 200_001);
  const target = join(folder, 'turned');
  const { code, stderr } = await downloadBy(server, 'ada', file.file_id, target);
  assert.equal(code, 1);
  assert.match(stderr, /SHA-256|digest|checksum|differ/i);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name === 'turned'),
    [],
  );
});

test('bit rot: with a declared SHA-256, the part of an open upload in which a bit has turned is asked for again', async () => {
  const { upload, bytes } = await openSample(call, 4);
  await putAll(call, upload, bytes);
  turnStagedBit(upload, 2);
  const body = { sha256: sha256Hex(bytes) };
  // The digest may have been computed before.
  const first = await complete(call, upload, body);
  if (first.status === 200) return await assertScrubFinds(first.json<FileRecord>());
  const { details } = assertFailure(first, 'upload_incomplete');
  assert.deepEqual(details, { missing_parts: [[2, 2]] });
  assert.equal((await put(call, upload, 2, bytes)).status, 201);
  const file = (await complete(call, upload, body)).json<FileRecord>();
  assert.deepEqual((await call('GET', `/files/${file.file_id}/content`)).body, bytes);
});

test('bit rot: without a declared SHA-256, the record or the scrub shows the bit that has turned', async () => {
  const { upload, bytes } = await openSample(call, 4);
  await putAll(call, upload, bytes);
  turnStagedBit(upload, 1);
  const answer = await complete(call, upload);
  assert.equal(answer.status, 200);
  const file = answer.json<FileRecord>();
  if (file.sha256 === sha256Hex(bytes)) await assertScrubFinds(file);
  else assert.notEqual(file.sha256, null);
});

async function assertScrubFinds({ file_id }: FileRecord): Promise<void> {
  assert.equal((await admin('POST', '/admin/scrub', { json: {} })).status, 202);
  const report = await eventually(
    async () => (await admin('GET', '/admin/scrub')).json<ScrubReport>(),
    ({ status }) => status !== 'running',
  );
  assert.ok(report.faults.some((fault) => fault.file_id === file_id && fault.fault === 'damaged'));
}
