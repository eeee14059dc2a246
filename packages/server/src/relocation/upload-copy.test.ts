import assert from 'node:assert/strict';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { UploadRow } from '../db/tables.ts';
import { insertRow, makeDatabase } from '../db/test-rows.ts';
import { listParts } from '../db/uploads/parts.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { makeStore } from '../storage/disk/test-store.ts';
import { makeBytes, openSink } from '../storage/test-storage.ts';
import { toPlace, toStaged } from '../uploads/upload-record.ts';
import { copyUpload } from './upload-copy.ts';

const PART_BYTES = 64 * 1024;
const BYTES = makeBytes(2 * PART_BYTES + 500);
const EXPIRES_AT_MS = 20_000;

async function makeSide(t: TestContext) {
  const { storage, root } = await makeStore(t);
  return { db: await makeDatabase(t), storage, root };
}

type Side = Awaited<ReturnType<typeof makeSide>>;

/** An upload at the source, of which these parts are stored and recorded. */
async function stage({ db, storage }: Side, stored: readonly number[], changes: Partial<UploadRow> = {}) {
  const parts = { size: BYTES.length, part_size: PART_BYTES, part_count: 3, received_parts: stored.length };
  const row = await insertRow(db, { status: 'uploading', ...parts, ...changes });
  await storage.uploads.create(toStaged(row));
  for (const idx of stored) {
    const part = BYTES.subarray(idx * PART_BYTES, (idx + 1) * PART_BYTES);
    const sink = await openSink(storage, toStaged(row), idx * PART_BYTES, part.length);
    await sink.write(part);
    const { sha256, receipt } = await sink.commit();
    await db.insertInto('parts').values({ upload_id: row.id, idx, sha256, receipt, stored_at: 7 }).execute();
  }
  return row;
}

async function copy(source: Side, target: Side, row: UploadRow, signal = AbortSignal.timeout(60_000)) {
  let copiedBytes = 0;
  const onBytes = (bytes: number) => {
    copiedBytes += bytes;
  };
  const { parts, lost } = await copyUpload(source, target, row, { signal, expiresAtMs: EXPIRES_AT_MS, onBytes });
  return { parts, lost, copiedBytes };
}

async function expectAt(target: Side, row: UploadRow, idxs: readonly number[], changes: Partial<UploadRow>) {
  const moved = await findUploadRow(target.db, row.id);
  const bytes = idxs.reduce((sum, idx) => sum + (idx === 2 ? 500 : PART_BYTES), 0);
  const counts = { received_parts: idxs.length, received_bytes: bytes, expires_at: EXPIRES_AT_MS };
  assert.deepEqual({ ...moved }, { ...row, storage_ref: null, must_recheck: 0, proxied: 1, ...counts, ...changes });
  const parts = await listParts(target.db, row.id, 0, 10);
  assert.deepEqual(
    parts.map(({ idx, stored_at }) => [idx, stored_at]),
    idxs.map((idx) => [idx, 7]),
  );
  assert.deepEqual(await target.storage.uploads.findLost(toStaged(row), parts), [], 'the bytes are there');
}

test('relocation: an upload goes on with the parts that it had', async (t) => {
  const [source, target] = [await makeSide(t), await makeSide(t)];
  const row = await stage(source, [0, 2], { must_recheck: 1 });
  assert.deepEqual(await copy(source, target, row), { parts: 2, lost: 0, copiedBytes: PART_BYTES + 500 });
  await expectAt(target, row, [0, 2], { status: 'uploading', file_id: null });
  assert.deepEqual(await copy(source, target, row), { parts: 2, lost: 0, copiedBytes: 0 }, 'copied once');
  await rm(join(target.root, 'staging', row.id));
  assert.deepEqual(await copy(source, target, row), { parts: 2, lost: 0, copiedBytes: PART_BYTES + 500 });
  await expectAt(target, row, [0, 2], { status: 'uploading', file_id: null });
});

test('relocation: an upload that was being published is found where its bytes are', async (t) => {
  for (const wasMoved of [false, true]) {
    const [source, target] = [await makeSide(t), await makeSide(t)];
    const row = await stage(source, [0, 1, 2], { status: 'verifying', file_id: 'f1' });
    if (wasMoved) await source.storage.uploads.publish(toStaged(row), toPlace(row, 'f1'));
    assert.equal((await copy(source, target, row)).lost, 0);
    await expectAt(target, row, [0, 1, 2], { status: 'verifying', file_id: 'f1' });
  }
});

test('relocation: parts that the source has lost are asked for again', async (t) => {
  const [source, target] = [await makeSide(t), await makeSide(t)];
  const row = await stage(source, [0, 1, 2], { status: 'verifying', file_id: 'f1' });
  // Within the last part: it is cut off. The first one has other bytes.
  const path = join(source.root, 'staging', row.id);
  await truncate(path, 2 * PART_BYTES + 100);
  await writeFile(path, 'other bytes', { flag: 'r+' });
  assert.deepEqual(await copy(source, target, row), { parts: 3, lost: 2, copiedBytes: PART_BYTES });
  await expectAt(target, row, [1], { status: 'uploading', file_id: null });
  await rm(path);
  const gone = await stage(source, [1]);
  await rm(join(source.root, 'staging', gone.id));
  assert.deepEqual(await copy(source, target, gone), { parts: 1, lost: 1, copiedBytes: 0 });
  await expectAt(target, gone, [], { status: 'uploading', file_id: null });
});

test('relocation: an upload that was interrupted has no final state yet', async (t) => {
  const [source, target] = [await makeSide(t), await makeSide(t)];
  const row = await stage(source, [0, 1, 2], { status: 'verifying', file_id: 'f1' });
  await assert.rejects(copy(source, target, row, AbortSignal.abort(new Error('interrupted'))), /interrupted/);
  const begun = await findUploadRow(target.db, row.id);
  assert.deepEqual([begun?.status, begun?.received_parts, begun?.file_id], ['pending', 0, null]);
  assert.equal((await copy(source, target, row)).lost, 0);
  await expectAt(target, row, [0, 1, 2], { status: 'verifying', file_id: 'f1' });
});
