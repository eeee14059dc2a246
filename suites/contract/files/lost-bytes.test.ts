/** Bytes that vanish from the storage while the system goes on: never published, asked for again. */
import assert from 'node:assert/strict';
import { open as openFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { sha256Hex } from '../sample.ts';
import { complete, open, openSample, put, putAll, readUploadRecord } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

/** As a file system leaves it that was shut down and came back. */
async function zero(server: OwnServer, uploadId: string, start: number, length: number): Promise<void> {
  const file = await openFile(join(server.dataDir, 'staging', uploadId), 'r+');
  await file.write(new Uint8Array(length), 0, length, start);
  await file.close();
}

for (const declared of [false, true]) {
  test(`lost bytes: bytes lost while the server was down, digest ${declared ? '' : 'not '}declared: 409 names their part, then all is well`, async (context) => {
    const server = await startServer();
    context.after(() => server.discard());
    const call: Call = callAs(server, { sub: 'ada' });
    const { upload, bytes } = await openSample(call, 8);
    await putAll(call, upload, bytes);
    await server.kill9();
    await zero(server, upload.upload_id, 3 * upload.part_size + 100, 4096);
    await server.restart();
    const again = callAs(server, { sub: 'ada' });
    const body = declared ? { sha256: sha256Hex(bytes) } : undefined;
    const refused = await complete(again, upload, body);
    const { details } = assertFailure(refused, 'upload_incomplete');
    assert.deepEqual(details, { missing_parts: [[3, 3]] });
    const reopened = await readUploadRecord(again, upload);
    assert.deepEqual([reopened.status, reopened.missing_parts], ['uploading', [[3, 3]]]);
    assert.equal((await put(again, upload, 3, bytes)).status, 201);
    const answer = await complete(again, upload, body);
    assert.equal(answer.status, 200);
    const file = answer.json<FileRecord>();
    assert.equal(file.sha256, sha256Hex(bytes));
    assert.deepEqual((await again('GET', `/files/${file.file_id}/content`)).body, bytes);
  });
}

test('lost bytes: an empty file is completed without its staging file', async (context) => {
  const server = await startServer();
  context.after(() => server.discard());
  const call = callAs(server);
  const upload = await open(call, { filename: 'empty.mrc', size: 0, force: true });
  await rm(join(server.dataDir, 'staging', upload.upload_id), { force: true });
  const answer = await complete(call, upload);
  assert.equal(answer.status, 200, answer.body.toString());
  assert.equal(answer.json<FileRecord>().sha256, sha256Hex(new Uint8Array()));
});

test('lost bytes: a staging file that is gone: complete names every part, and they can be sent again', async (context) => {
  const server = await startServer();
  context.after(() => server.discard());
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 4);
  await putAll(call, upload, bytes);
  await rm(join(server.dataDir, 'staging', upload.upload_id));
  assertFailure(await complete(call, upload), 'upload_incomplete');
  assert.deepEqual((await readUploadRecord(call, upload)).missing_parts, [[0, 3]]);
  await putAll(call, upload, bytes);
  assert.equal((await complete(call, upload)).json<FileRecord>().sha256, sha256Hex(bytes));
});
