/** Concatenations on a real disk and a real database. Parts have 100 bytes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import fc from 'fast-check';
import { findFile } from '../../db/files.ts';
import { sumHeld } from '../../db/uploads/uploads.ts';
import { cancelUpload } from '../cancellation.ts';
import type { UploadContext } from '../context.ts';
import { makeUploads, readRow, restartUploads, type TestUploads } from '../test-uploads.ts';
import { toPlace } from '../upload-record.ts';
import { beginAppend } from './append.ts';
import { resumeConcatenations } from './concatenating.ts';
import { createConcatenation } from './concatenation.ts';
import { createAppended } from './creation.ts';
import { declareLength } from './length.ts';

const ADA = { owner: 'ada' };
const COMMON = { metadata: {}, sha256: null, rawMetadata: null };

async function createPartial(context: UploadContext, sizeBytes: number | null): Promise<string> {
  const request = { ...COMMON, filename: null, protocol: 'tus' as const, sizeBytes, isPartial: true };
  return (await createAppended(context, 'ada', request, null)).uploadId;
}

async function append(context: UploadContext, uploadId: string, offset: number, bytes: Buffer): Promise<void> {
  const request = { uploadId, offset, lengthBytes: bytes.length, checksum: null, requestId: 'r' };
  const receiver = await beginAppend(context, ADA, request);
  await receiver.write(Buffer.from(bytes));
  await receiver.commit();
}

/** @param cuts lengths of the appends. */
async function sendPartial(context: UploadContext, bytes: Buffer, cuts: readonly number[] = []): Promise<string> {
  const id = await createPartial(context, bytes.length);
  let at = 0;
  for (const length of [...cuts, bytes.length]) {
    const some = bytes.subarray(at, at + length);
    if (some.length > 0) await append(context, id, at, some);
    at += some.length;
  }
  return id;
}

async function concatenate(context: UploadContext, sources: readonly string[], filename = 'a.bin'): Promise<string> {
  const request = { ...COMMON, filename, sources, concat: 'final;', declaredBytes: null };
  return (await createConcatenation(context, ADA, 'ada', request, null)).uploadId;
}

/** Waits until the concatenation has ended. */
async function settled(context: UploadContext, id: string) {
  await context.concatenations.run(id, async () => {});
  await context.completions.settle();
  return await readRow(context, id);
}

async function readPublished(context: UploadContext, id: string): Promise<Buffer> {
  const row = await readRow(context, id);
  assert.equal(row.status, 'completed', row.failure ?? row.status);
  assert.ok(await findFile(context.db, row.file_id as string));
  const stream = await context.storage.files.read(toPlace(row, row.file_id as string), { start: 0, end: row.size - 1 });
  return Buffer.concat(await (stream as NonNullable<typeof stream>).toArray());
}

test('concatenation: parts of any length that arrived in any pieces make the file, and are freed', async (t) => {
  const context = await makeUploads(t);
  const partial = fc.record({
    length: fc.integer({ min: 0, max: 350 }),
    cuts: fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(partial, { minLength: 1, maxLength: 6 }), async (partials) => {
      const bodies = partials.map(({ length }) => randomBytes(length));
      const ids = await Promise.all(partials.map(({ cuts }, at) => sendPartial(context, bodies[at] as Buffer, cuts)));
      const whole = Buffer.concat(bodies);
      const id = await concatenate(context, ids);
      await settled(context, id);
      if (whole.length > 0) assert.deepEqual(await readPublished(context, id), whole);
      for (const each of ids) assert.equal((await readRow(context, each)).status, 'cancelled');
      assert.equal((await readRow(context, id)).size, whole.length);
    }),
    { numRuns: 40 },
  );
});

test('concatenation: a server that died goes on where it was', async (t) => {
  for (const done of [1, 99, 100, 250, 333, 600, 700]) {
    let context = await makeUploads(t);
    const bodies = [randomBytes(250), randomBytes(350), randomBytes(100)];
    const ids = await Promise.all(bodies.map((body) => sendPartial(context, body, [30, 100])));
    const whole = Buffer.concat(bodies);
    await context.concatenations.stop();
    const id = await concatenate(context, ids);
    await append(context, id, 0, whole.subarray(0, done));
    context = await restartUploads(t, context);
    await resumeConcatenations(context);
    await settled(context, id);
    assert.deepEqual(await readPublished(context, id), whole, `${done} bytes`);
  }
});

test('concatenation: waits for parts whose bytes or lengths are missing', async (t) => {
  const context = await makeUploads(t);
  const [first, second] = [randomBytes(150), randomBytes(130)];
  const ids = [await sendPartial(context, first), await createPartial(context, null)] as const;
  const id = await concatenate(context, ids);
  assert.equal((await settled(context, id)).is_growing, 1);
  await append(context, ids[1], 0, second.subarray(0, 70));
  await declareLength(context, ADA, ids[1], second.length, 'r');
  await resumeConcatenations(context);
  const waiting = await settled(context, id);
  assert.deepEqual([waiting.status, waiting.size, waiting.is_growing], ['pending', 280, 0]);
  assert.equal(await sumHeld(context.db, 'ada'), 280);
  await append(context, ids[1], 70, second.subarray(70));
  await resumeConcatenations(context);
  await settled(context, id);
  assert.deepEqual(await readPublished(context, id), Buffer.concat([first, second]));
});

test('concatenation: bytes that are not stored as they were acknowledged end it without a file', async (t) => {
  const context = await makeUploads(t);
  await context.concatenations.stop();
  const ids = [await sendPartial(context, randomBytes(150)), await sendPartial(context, randomBytes(150))] as const;
  const id = await concatenate(context, ids);
  await flipByte(context, ids[1], 70);
  const again = await restartUploads(t, context);
  await resumeConcatenations(again);
  const row = await settled(again, id);
  assert.equal(row.status, 'failed');
  assert.equal((JSON.parse(row.failure as string) as { code: string }).code, 'upload_incomplete');
  assert.equal(row.file_id, null);
});

async function flipByte(context: TestUploads, id: string, at: number): Promise<void> {
  const path = context.stagedPath(id);
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

test('concatenation: its bytes are counted once, whether its length is known at first or not', async (t) => {
  const context = await makeUploads(t);
  await context.concatenations.stop();
  const held = async () => await sumHeld(context.db, 'ada');
  const known = [await sendPartial(context, randomBytes(150)), await sendPartial(context, randomBytes(50))];
  assert.equal(await held(), 200);
  const first = await concatenate(context, known);
  assert.equal(await held(), 200);
  const growing = await createPartial(context, null);
  await append(context, growing, 0, randomBytes(70));
  const second = await concatenate(context, [growing]);
  assert.equal(await held(), 270);
  await declareLength(context, ADA, growing, 70, 'r');
  const again = await restartUploads(t, context);
  await resumeConcatenations(again);
  for (const id of [first, second]) assert.equal((await settled(again, id)).status, 'completed');
  assert.equal(await sumHeld(again.db, 'ada'), 270);
});

test('concatenation: a quota that the parts fill has room for it', async (t) => {
  const context = await makeUploads(t);
  const tight = { ...context, policy: { ...context.policy, quotaBytes: 300 } };
  const ids = [await sendPartial(tight, randomBytes(150)), await sendPartial(tight, randomBytes(150))];
  await assert.rejects(
    createPartial(tight, 1),
    (error) => error instanceof UploadError && error.code === 'quota_exceeded',
  );
  const id = await concatenate(tight, ids);
  assert.equal((await settled(tight, id)).status, 'completed');
});

test('concatenation: parts of one that was cancelled are freed', async (t) => {
  const context = await makeUploads(t);
  const ids = [await sendPartial(context, randomBytes(150)), await createPartial(context, 10)];
  const id = await concatenate(context, ids);
  await settled(context, id);
  await cancelUpload(context, ADA, id);
  await resumeConcatenations(context);
  for (const each of ids) assert.equal((await readRow(context, each)).status, 'cancelled');
});

test('concatenation: a part belongs to one, and only one of two requests gets it', async (t) => {
  const context = await makeUploads(t);
  const [first, second, third] = await Promise.all(
    [50, 60, 70].map((length) => sendPartial(context, randomBytes(length))),
  );
  const outcomes = await Promise.allSettled([
    concatenate(context, [first as string, second as string]),
    concatenate(context, [second as string, third as string]),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});
