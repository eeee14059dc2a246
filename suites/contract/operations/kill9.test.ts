/** A server that is killed in the middle of its work: what it has acknowledged is there when it comes back. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileRecord, StoredPartPage } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { sha256Hex, shuffle } from '../sample.ts';
import { complete, cutPart, openSample, put, putAll, readUploadRecord } from '../upload.ts';
import { callAs } from '../wire.ts';

const SENDERS = 6;

async function assertStagingEmpty(server: OwnServer): Promise<void> {
  assert.deepEqual(await readdir(join(server.dataDir, 'staging')), []);
}

// Invariants 1, 2
test('kill -9 while parts fly: every acknowledged part is kept, and the file comes out right', async () => {
  const server = await startServer();
  const call = callAs(server, { sub: 'survivor' });
  const { upload, bytes } = await openSample(call, 96);
  const acknowledged = new Set<number>();

  for (const killAfter of [15, 40, 70]) {
    const { missing_parts } = await readUploadRecord(call, upload);
    const queue = shuffle([...eachPart(missing_parts as [number, number][])]);
    const enough = Promise.withResolvers<void>();
    const work = async () => {
      for (let idx = queue.pop(); idx !== undefined; idx = queue.pop()) {
        const answer = await put(call, upload, idx, bytes).catch(() => null);
        if (!answer) return;
        assert.equal(answer.status, 201, answer.body.toString());
        acknowledged.add(idx);
        if (acknowledged.size >= killAfter) enough.resolve();
      }
    };
    const senders = Promise.all(Array.from({ length: SENDERS }, work));
    await enough.promise;
    await server.kill9();
    await senders;
    await server.restart();

    const back = await readUploadRecord(call, upload);
    const askedFor = [...eachPart(back.missing_parts as [number, number][])];
    assert.deepEqual(
      askedFor.filter((idx) => acknowledged.has(idx)),
      [],
      'no acknowledged part is asked for again',
    );
    assert.equal(back.status, 'uploading');
    assert.equal(back.received_parts + askedFor.length, upload.part_count);
  }

  const { items } = (await call('GET', `/uploads/${upload.upload_id}/parts?limit=1000`)).json<StoredPartPage>();
  for (const { part, sha256 } of items) assert.equal(sha256, sha256Hex(cutPart(bytes, upload, part)));
  await putAll(call, upload, bytes);
  const file = (await complete(call, upload)).json<FileRecord>();
  assert.equal(file.sha256, sha256Hex(bytes));
  assert.deepEqual((await call('GET', `/files/${file.file_id}/content`)).body, bytes);
  await assertStagingEmpty(server);
  await server.discard();
});

// Invariants 3, 6
test('kill9: kill -9 while an upload is completed: it is completed when asked again, once', async () => {
  const server = await startServer();
  const call = callAs(server, { sub: 'survivor' });
  for (const delayMs of [0, 3, 12]) {
    const { upload, bytes } = await openSample(call, 24);
    await putAll(call, upload, bytes);
    const lost = complete(call, upload).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await server.kill9();
    await lost;
    await server.restart();
    const answer = await complete(call, upload);
    assert.equal(answer.status, 200, answer.body.toString());
    const file = answer.json<FileRecord>();
    assert.deepEqual((await call('GET', `/files/${file.file_id}/content`)).body, bytes);
    assert.deepEqual((await complete(call, upload)).json(), file);
    await assertStagingEmpty(server);
  }
  assert.equal((await call('GET', '/files')).json<{ items: unknown[] }>().items.length, 3);
  await server.discard();
});
