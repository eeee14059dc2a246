/** Appends on a real disk and a real database. Parts have 100 bytes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import fc from 'fast-check';
import { sql } from 'kysely';
import { listParts } from '../../db/uploads/parts.ts';
import { commitPiece, listPieces } from '../../db/uploads/pieces.ts';
import { completeUpload } from '../completion.ts';
import type { UploadContext } from '../context.ts';
import { makeUploads, readRow, restartUploads } from '../test-uploads.ts';
import { reverify } from '../verification/reverification.ts';
import { beginAppend } from './append.ts';
import type { BodyChecksum } from './body-checksum.ts';
import { createAppended } from './creation.ts';
import { declareLength } from './length.ts';
import { stagedWithPieces } from './segments.ts';
import { readAppendState } from './state.ts';

const ADA = { owner: 'ada' };

async function create(context: UploadContext, sizeBytes: number | null, isPartial = false): Promise<string> {
  const request = { filename: 'a.bin', metadata: {}, sha256: null, protocol: 'tus' as const, rawMetadata: null };
  return (await createAppended(context, 'ada', { ...request, sizeBytes, isPartial }, null)).uploadId;
}

interface Body {
  /** Content-Length is sent. */
  readonly isAnnounced?: boolean;
  /** The connection ends before the body does. */
  readonly isCut?: boolean;
  readonly checksum?: BodyChecksum;
  readonly chunkBytes?: number;
}

/** @returns the offset after that. */
async function append(
  context: UploadContext,
  uploadId: string,
  offset: number,
  bytes: Buffer,
  { isAnnounced = true, isCut = false, checksum, chunkBytes = 30 }: Body = {},
): Promise<number> {
  const announced = isCut ? bytes.length + 1 : bytes.length;
  const lengthBytes = isAnnounced ? announced : null;
  const request = { uploadId, offset, lengthBytes, checksum: checksum ?? null, requestId: 'r' };
  const receiver = await beginAppend(context, ADA, request);
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
      await receiver.write(chunk);
      // The connection reuses its memory.
      chunk.fill(0xff);
    }
  } catch (error) {
    await receiver.abort();
    throw error;
  }
  if (!isCut) return await receiver.commit();
  await receiver.abort();
  return await offsetOf(context, uploadId);
}

async function offsetOf(context: UploadContext, uploadId: string): Promise<number> {
  return (await readAppendState(context, ADA, uploadId, { endRunning: true })).offset;
}

function makeBytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) % 251));
}

const sha256 = (bytes: Buffer) => new Uint8Array(createHash('sha256').update(bytes).digest());
const code = (expected: string) => (error: unknown) => error instanceof UploadError && error.code === expected;

test('append: bodies of any length and cuts anywhere make the parts of the file', async (t) => {
  const context = await makeUploads(t);
  const steps = fc.array(
    fc.record({
      bytes: fc.integer({ min: 1, max: 350 }),
      isAnnounced: fc.boolean(),
      isCut: fc.boolean(),
      chunkBytes: fc.constantFrom(1, 30, 100, 1000),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 950 }), fc.boolean(), steps, async (size, isDeferred, bodies) => {
      const bytes = makeBytes(size);
      const id = await create(context, isDeferred ? null : size);
      let offset = 0;
      for (const { bytes: length, ...body } of [...bodies, { bytes: size }]) {
        const sent = bytes.subarray(offset, Math.min(size - (isDeferred ? 0 : 1), offset + length));
        if (sent.length === 0) continue;
        offset = await append(context, id, offset, sent, body);
      }
      if (isDeferred) await declareLength(context, ADA, id, size, 'r');
      if (offset < size) offset = await append(context, id, offset, bytes.subarray(offset));
      assert.equal(offset, size);
      const row = await readRow(context, id);
      const parts = await listParts(context.db, id, 0, 100);
      assert.deepEqual(
        parts.map((part) => part.sha256),
        Array.from({ length: row.part_count }, (_, idx) =>
          sha256(bytes.subarray(idx * row.part_size, (idx + 1) * row.part_size)),
        ),
      );
      assert.equal(row.received_bytes, size);
      assert.deepEqual(await listPieces(context.db, id), []);
      assert.ok((await readFile(context.stagedPath(id))).equals(bytes));
    }),
    { numRuns: 60 },
  );
});

test('append: what a cut body has sent is kept, to the byte', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  assert.equal(await append(context, id, 0, makeBytes(257), { isCut: true }), 257);
  assert.equal((await readRow(context, id)).received_parts, 2);
  const restarted = await restartUploads(t, context);
  assert.equal(await offsetOf(restarted, id), 257);
});

// Invariant 7
test('append: it reports bytes when they are recorded', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  const request = { uploadId: id, offset: 0, lengthBytes: 950, checksum: null, requestId: 'r' };
  const receiver = await beginAppend(context, ADA, request);
  const reports: Promise<[reported: number, recorded: number]>[] = [];
  receiver.onAdvance = (reported) => {
    const state = readAppendState(context, ADA, id, { endRunning: false });
    reports.push(state.then(({ offset }) => [reported, offset]));
  };
  for (let at = 0; at < 950; at += 50) await receiver.write(makeBytes(950).subarray(at, at + 50));
  assert.equal(await receiver.commit(), 950);
  assert.ok(reports.length >= 10);
  for (const [reported, recorded] of await Promise.all(reports)) assert.ok(reported <= recorded, `${reported}`);
});

test('append: another offset is refused with the right one', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  await append(context, id, 0, makeBytes(130));
  for (const offset of [0, 129, 131, 951]) {
    const error = await append(context, id, offset, makeBytes(5)).catch((reason: unknown) => reason);
    assert.ok(error instanceof UploadError && error.code === 'offset_mismatch');
    assert.deepEqual(error.details, { expected_offset: 130, provided_offset: offset });
  }
  assert.equal(await offsetOf(context, id), 130);
});

test('append: a body beyond the length is refused, announced or not', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 100);
  await assert.rejects(append(context, id, 0, makeBytes(101)), code('file_too_large'));
  await assert.rejects(append(context, id, 0, makeBytes(101), { isAnnounced: false }), code('file_too_large'));
});

test('append: with a checksum nothing of the body counts until it matches', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  const checksum = (isRight: boolean) => ({ update() {}, matches: () => isRight });
  await assert.rejects(
    append(context, id, 0, makeBytes(330), { checksum: checksum(false) }),
    code('part_checksum_mismatch'),
  );
  assert.equal(await offsetOf(context, id), 0);
  assert.equal(await append(context, id, 0, makeBytes(330), { checksum: checksum(true), isCut: true }), 0);
  assert.equal(await append(context, id, 0, makeBytes(330), { checksum: checksum(true) }), 330);
});

test('append: a newer one ends the one under way, and goes on where that one was', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  const request = { uploadId: id, offset: 0, lengthBytes: 950, checksum: null, requestId: 'r' };
  const older = await beginAppend(context, ADA, request);
  await older.write(makeBytes(150));
  assert.equal(await offsetOf(context, id), 150);
  assert.throws(() => older.write(makeBytes(1)), code('offset_mismatch'));
  await assert.rejects(older.commit(), code('offset_mismatch'));
  await append(context, id, 150, makeBytes(950).subarray(150));
  assert.ok((await readFile(context.stagedPath(id))).equals(makeBytes(950)));
});

test('append: work that needs the stored bytes for itself ends it, wherever it is', async (t) => {
  const context = await makeUploads(t);
  for (const sentBytes of [0, 50, 100, 150]) {
    const id = await create(context, 950);
    const request = { uploadId: id, offset: 0, lengthBytes: 950, checksum: null, requestId: 'r' };
    const receiver = await beginAppend(context, ADA, request);
    if (sentBytes > 0) await receiver.write(makeBytes(sentBytes));
    // The next segment is opened while the other work begins.
    const writing = Promise.resolve(receiver.write(makeBytes(300))).catch(() => {});
    await context.attempts.exclude(id, async () => {});
    await writing;
    await assert.rejects(receiver.commit());
    const bytes = makeBytes(950);
    const offset = await offsetOf(context, id);
    assert.equal(await append(context, id, offset, bytes.subarray(offset)), 950);
  }
});

test('append: pieces that were lost with a crash are asked for again', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  await append(context, id, 0, makeBytes(130));
  await append(context, id, 130, makeBytes(20));
  const staged = await readFile(context.stagedPath(id));
  staged[140] = (staged[140] ?? 0) ^ 1;
  await writeFile(context.stagedPath(id), staged);
  await reverify(context, await readRow(context, id));
  assert.equal(await offsetOf(context, id), 130);
});

/** As a server that is killed between the record of the last piece of a part and that of the part. */
async function appendUnjoined(context: UploadContext, id: string, offset: number, bytes: Buffer): Promise<void> {
  const row = await readRow(context, id);
  const extent = { offset, length: bytes.length };
  const sink = await context.storage.pieces.open(stagedWithPieces(row), extent);
  assert.ok(sink !== 'lost');
  await sink.write(bytes);
  const { sha256: digest, receipt } = await sink.commit();
  const piece = { upload_id: id, ...extent, sha256: digest, receipt };
  const changes = { updated_at: row.updated_at, expires_at: row.expires_at };
  assert.ok(await commitPiece(context.db, piece, changes, async () => {}));
}

test('append: a part that a killed server did not record is recorded before bytes behind it', async (t) => {
  const context = await makeUploads(t);
  const bytes = makeBytes(300);
  const id = await create(context, 300);
  await append(context, id, 0, bytes.subarray(0, 60));
  await appendUnjoined(context, id, 60, bytes.subarray(60, 100));
  assert.equal(await offsetOf(context, id), 100);
  let offset = 100;
  for (const length of [70, 30, 60]) {
    offset = await append(context, id, offset, bytes.subarray(offset, offset + length));
    assert.equal(await offsetOf(context, id), offset, 'it never goes back');
  }
  await appendUnjoined(context, id, 260, bytes.subarray(260));
  const { kind } = await completeUpload(context, ADA, id, undefined, 'r');
  assert.equal(kind, 'completed');
});

// Invariant 2
test('append: the pieces of a part are kept until the part is recorded', async (t) => {
  const context = await makeUploads(t);
  const bytes = makeBytes(300);
  const id = await create(context, 300);
  await append(context, id, 0, bytes.subarray(0, 60));
  await sql`create trigger full before insert on parts
    begin select raise(abort, 'database or disk is full'); end`.execute(context.db);
  await assert.rejects(append(context, id, 60, bytes.subarray(60, 100)));
  assert.equal(await offsetOf(context, id), 100, 'the last piece was recorded, too');
  await sql`drop trigger full`.execute(context.db);
  assert.equal(await append(context, id, 100, bytes.subarray(100)), 300);
  assert.equal((await completeUpload(context, ADA, id, undefined, 'r')).kind, 'completed');
});

test('append: a damaged piece does not become a part', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  await append(context, id, 0, makeBytes(130));
  const staged = await readFile(context.stagedPath(id));
  staged[110] = (staged[110] ?? 0) ^ 1;
  await writeFile(context.stagedPath(id), staged);
  await assert.rejects(append(context, id, 130, makeBytes(950).subarray(130)), code('storage_unavailable'));
  assert.equal(await offsetOf(context, id), 100);
  const bytes = makeBytes(950);
  assert.equal(await append(context, id, 100, bytes.subarray(100)), 950);
  assert.ok((await readFile(context.stagedPath(id))).equals(bytes));
});

test('append: many small bodies leave few pieces', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 950);
  const bytes = makeBytes(950);
  for (let at = 0; at < 199; at++) await append(context, id, at, bytes.subarray(at, at + 1));
  assert.ok((await listPieces(context.db, id)).length <= 65);
  await append(context, id, 199, bytes.subarray(199));
  assert.ok((await readFile(context.stagedPath(id))).equals(bytes));
});

test('append: a length that is declared is kept, and bytes beyond it are refused', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, null);
  await append(context, id, 0, makeBytes(130));
  assert.equal((await readAppendState(context, ADA, id, { endRunning: false })).lengthBytes, null);
  await assert.rejects(declareLength(context, ADA, id, 129, 'r'), code('invalid_request'));
  await declareLength(context, ADA, id, 140, 'r');
  await declareLength(context, ADA, id, 140, 'r');
  await assert.rejects(declareLength(context, ADA, id, 141, 'r'), code('invalid_request'));
  await assert.rejects(append(context, id, 130, makeBytes(11)), code('file_too_large'));
  assert.equal(await append(context, id, 130, makeBytes(10)), 140);
});

test('append: a part of a concatenation is hidden, and has pieces alone', async (t) => {
  const context = await makeUploads(t);
  const id = await create(context, 250, true);
  await append(context, id, 0, makeBytes(250));
  assert.equal(await offsetOf(context, id), 250);
  assert.equal((await readRow(context, id)).received_parts, 0);
  assert.deepEqual(
    (await listPieces(context.db, id)).map(({ offset, length }) => [offset, length]),
    [
      [0, 100],
      [100, 100],
      [200, 50],
    ],
  );
});
