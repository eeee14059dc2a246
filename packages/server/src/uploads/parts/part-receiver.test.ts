/** One part, from its head to its record, on a real disk and a real database. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import {
  beginTestPart,
  bytesOf,
  insertUpload,
  makeUploads,
  readRow,
  sendPart,
  type TestUploads,
} from '../test-uploads.ts';
import { beginPart } from './part-start.ts';

const code = (expected: string) => (error: unknown) => error instanceof UploadError && error.code === expected;

async function readPart(context: TestUploads, row: UploadRow, idx: number): Promise<Buffer> {
  const staged = await readFile(context.stagedPath(row.id));
  return staged.subarray(idx * row.part_size, (idx + 1) * row.part_size);
}

/** Runs `act` at a moment between two durable steps. */
function whenAt(t: TestContext, moment: string, act: () => void): void {
  const listener = (step: unknown) => {
    if ((step as { name: string }).name === moment) act();
  };
  subscribe('cryolift:durable-step', listener);
  t.after(() => void unsubscribe('cryolift:durable-step', listener));
}

// Invariant 2
test('part: other bytes for a stored part are not written, with or without a digest', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendPart(context, row, 1);
  const other = Buffer.alloc(100, 99);
  const digest = new Uint8Array(createHash('sha256').update(other).digest());
  await assert.rejects(beginTestPart(context, row, 1, digest), code('part_conflict'));
  const started = await beginTestPart(context, row, 1);
  assert.ok(started.kind === 'receiving');
  await started.receiver.write(other);
  await assert.rejects(started.receiver.commit(), code('part_conflict'));
  assert.deepEqual(await readPart(context, row, 1), bytesOf(row, 1));
});

// Invariant 2
test('part: a request that has waited for an older one does not write over what that has stored', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  const { attempts } = context;
  const begin = attempts.begin.bind(attempts);
  attempts.begin = async (uploadId, idx) => {
    attempts.begin = begin;
    await sendPart(context, row, idx);
    return await begin(uploadId, idx);
  };
  const started = await beginTestPart(context, row, 1);
  assert.ok(started.kind === 'receiving');
  await started.receiver.write(Buffer.alloc(100, 99));
  await assert.rejects(started.receiver.commit(), code('part_conflict'));
  assert.deepEqual(await readPart(context, row, 1), bytesOf(row, 1));
  assert.equal(attempts.count, 0);
});

// Invariants 1, 2
test('part: it is not acknowledged when the disk has lost bytes of the upload while it was recorded', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  whenAt(t, 'part.recorded', () => context.doubtful.note(row.id));
  await assert.rejects(sendPart(context, row, 1), code('storage_unavailable'));
});

test('part: a header that was damaged in transit does not fail the upload', async (t) => {
  const context = await makeUploads(t);
  const header = Buffer.from(buildHeader({ nx: 10, ny: 10, nz: 1, mode: 0 }));
  const changes = { filename: 'a.mrc', size: 1124, part_size: 1024, part_count: 2 };
  const row = await insertUpload(context, changes);
  const sha256 = new Uint8Array(createHash('sha256').update(header).digest());
  const part = { uploadId: row.id, idx: 0, lengthBytes: 1024, offsetBytes: null, sha256, requestId: 'r' };
  const send = async (bytes: Buffer) => {
    const started = await beginPart(context, { owner: 'ada' }, part);
    assert.ok(started.kind === 'receiving');
    await started.receiver.write(bytes);
    return await started.receiver.commit();
  };
  await assert.rejects(send(Buffer.alloc(1024)), code('part_checksum_mismatch'));
  assert.equal((await readRow(context, row.id)).status, 'pending');
  assert.equal((await send(header)).deduplicated, false);
});
