/** The contract of storages, as tests that run on each of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import fc from 'fast-check';
import { BytesGone } from './errors.ts';
import type { FilePlace, StagedUpload } from './places.ts';
import { removeStored } from './removal.ts';
import type { Storage } from './storage.ts';
import type { PartSink } from './upload-storage.ts';

const MIB = 1024 * 1024;

/** A storage to be tested, closed by `make` when the test ends. */
interface StorageUnderTest {
  storage: Storage;
  /** Removes the staged bytes of an upload without the storage. */
  lose(uploadId: string): Promise<void>;
}

type MakeStorage = (t: TestContext) => Promise<StorageUnderTest>;

export function describeStorage(name: string, make: MakeStorage): void {
  describeWriting(name, make);
  describeStaging(name, make);
  describeDigests(name, make);
  describePublishing(name, make);
}

export function upload(id: string, sizeBytes: number, empty = true): StagedUpload {
  return { id, filename: 'µ graph.mrc', sizeBytes, empty };
}

export function placeOf({ id, sizeBytes }: StagedUpload): FilePlace {
  return { fileId: `file-of-${id}`, filename: 'µ graph.mrc', sizeBytes };
}

/** Bytes that depend on their offset, so that misplaced bytes are detected. */
export function makeBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function sha256Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

export function hasCode(code: string) {
  return (error: unknown) => error instanceof UploadError && error.code === code;
}

export async function openSink(storage: Storage, to: StagedUpload, offset: number, length: number): Promise<PartSink> {
  const sink = await storage.uploads.openSink(to, { offset, length });
  assert.ok(sink !== 'lost');
  return sink;
}

/** Writes bytes in chunks, through a buffer that is overwritten after each write. */
export async function feed(sink: PartSink, bytes: Uint8Array, chunkBytes = bytes.length || 1): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
    const ready = sink.write(chunk);
    chunk.fill(0xee);
    if (ready) await ready;
  }
}

/** Stores one part. @returns its digest. */
export async function storePart(storage: Storage, to: StagedUpload, offset: number, bytes: Uint8Array) {
  const sink = await openSink(storage, to, offset, bytes.length);
  await feed(sink, bytes);
  return await sink.commit();
}

async function publishWhole(storage: Storage, to: StagedUpload, bytes: Uint8Array): Promise<FilePlace> {
  await storage.uploads.create(to);
  if (bytes.length > 0) await storePart(storage, to, 0, bytes);
  await storage.uploads.publish(to, placeOf(to));
  return placeOf(to);
}

export async function readAll(storage: Storage, file: FilePlace, start = 0, end = file.sizeBytes - 1): Promise<Buffer> {
  const readable = await storage.files.read(file, { start, end });
  assert.ok(readable);
  return Buffer.concat((await readable.toArray()) as Buffer[]);
}

function describeWriting(name: string, make: MakeStorage): void {
  test(`${name}: parts in any order, in chunks of any size, are stored at their offsets`, async (t) => {
    const { storage } = await make(t);
    let run = 0;
    const plans = fc.record({
      partBytes: fc.constantFrom(1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB),
      counts: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      chunkBytes: fc.oneof(
        fc.constantFrom(64 * 1024, MIB - 1, MIB, MIB + 1, 3 * MIB),
        fc.integer({ min: 500, max: 3 * MIB }),
      ),
      lastBytes: fc.integer({ min: 1, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(plans, async ({ partBytes, counts, chunkBytes, lastBytes }) => {
        const bytes = makeBytes(2 * partBytes + Math.min(lastBytes, partBytes), ++run);
        const to = upload(`any-${run}`, bytes.length);
        await storage.uploads.create(to);
        for (const idx of counts) {
          const part = bytes.subarray(idx * partBytes, (idx + 1) * partBytes);
          const sink = await openSink(storage, to, idx * partBytes, part.length);
          await feed(sink, part, chunkBytes);
          assert.deepEqual(await sink.commit(), sha256Of(part));
        }
        await storage.uploads.publish(to, placeOf(to));
        assert.ok((await readAll(storage, placeOf(to))).equals(bytes));
      }),
      { numRuns: 12 },
    );
  });

  test(`${name}: parts of single bytes are stored`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(5000);
    const sink = await openSink(storage, upload('ones', bytes.length), 0, bytes.length);
    await feed(sink, bytes, 1);
    assert.deepEqual(await sink.commit(), sha256Of(bytes));
    assert.deepEqual(await storage.uploads.hashExtent('ones', { offset: 0, length: bytes.length }), sha256Of(bytes));
  });

  test(`${name}: sinks for different extents and uploads do not mix`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(6 * MIB);
    const uploads = [upload('left', bytes.length), upload('right', bytes.length)];
    await Promise.all(
      uploads.flatMap((to) =>
        [0, 1, 2].map(async (idx) => {
          const part = bytes.subarray(idx * 2 * MIB, (idx + 1) * 2 * MIB);
          const sink = await openSink(storage, to, idx * 2 * MIB, part.length);
          await feed(sink, part, 100_000);
          assert.deepEqual(await sink.commit(), sha256Of(part));
        }),
      ),
    );
    for (const to of uploads) {
      assert.deepEqual(await storage.uploads.hashExtent(to.id, { offset: 0, length: bytes.length }), sha256Of(bytes));
    }
  });

  test(`${name}: a writer that is faster than the storage is asked to wait`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(64 * MIB);
    const sink = await openSink(storage, upload('fast', bytes.length), 0, bytes.length);
    const ready = sink.write(bytes);
    assert.ok(ready instanceof Promise);
    await ready;
    assert.deepEqual(await sink.commit(), sha256Of(bytes));
  });

  test(`${name}: an aborted sink writes nothing`, async (t) => {
    const { storage } = await make(t);
    const to = upload('given-up', 8 * MIB);
    const sink = await openSink(storage, to, 0, 8 * MIB);
    const ready = sink.write(makeBytes(8 * MIB, 2));
    const refused = ready && assert.rejects(ready, UploadError);
    await sink.abort();
    const after = await storage.uploads.hashExtent(to.id, { offset: 0, length: 8 * MIB });
    await refused;
    assert.throws(() => sink.write(makeBytes(1)), UploadError);
    await sink.abort();
    assert.deepEqual(await storage.uploads.hashExtent(to.id, { offset: 0, length: 8 * MIB }), after);
    // The extent can be written again at once.
    const bytes = makeBytes(8 * MIB, 3);
    assert.deepEqual(await storePart(storage, to, 0, bytes), sha256Of(bytes));
    assert.deepEqual(await storage.uploads.hashExtent(to.id, { offset: 0, length: 8 * MIB }), sha256Of(bytes));
  });

  test(`${name}: an abort after the end changes nothing`, async (t) => {
    const { storage } = await make(t);
    const to = upload('done', 10);
    const sink = await openSink(storage, to, 0, 10);
    await feed(sink, makeBytes(10));
    const sha256 = await sink.commit();
    await sink.abort();
    assert.deepEqual(await sink.commit(), sha256);
    assert.deepEqual(await storage.uploads.hashExtent('done', { offset: 0, length: 10 }), sha256);
  });

  test(`${name}: a sink that only hashes stores nothing`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB + 7);
    const sink = storage.openHash();
    await feed(sink, bytes, 70_000);
    assert.deepEqual(await sink.commit(), sha256Of(bytes));
    assert.deepEqual(await storage.openHash().commit(), sha256Of(new Uint8Array()));
    assert.deepEqual(await storage.uploads.list(), []);
  });
}

function describeStaging(name: string, make: MakeStorage): void {
  test(`${name}: bytes that vanished are reported when parts are recorded, and no loss when none are`, async (t) => {
    const { storage, lose } = await make(t);
    const bytes = makeBytes(10);
    await storage.uploads.create(upload('gone', 20));
    await lose('gone');
    assert.equal(await storage.uploads.openSink(upload('gone', 20, false), { offset: 0, length: 10 }), 'lost');
    assert.deepEqual(await storage.uploads.list(), []);
    assert.deepEqual(await storePart(storage, upload('gone', 20), 10, bytes), sha256Of(bytes));
    assert.deepEqual(await storage.uploads.hashExtent('gone', { offset: 10, length: 10 }), sha256Of(bytes));
  });

  test(`${name}: a renewed staging area accepts parts`, async (t) => {
    const { storage, lose } = await make(t);
    const to = upload('renewed', 20);
    const bytes = makeBytes(20);
    await storePart(storage, to, 0, bytes.subarray(0, 10));
    await lose('renewed');
    const started = { ...to, empty: false };
    assert.equal(await storage.uploads.openSink(started, { offset: 10, length: 10 }), 'lost');
    await storage.uploads.renew(to);
    await storePart(storage, started, 10, bytes.subarray(10));
    await storePart(storage, started, 0, bytes.subarray(0, 10));
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
    await storage.uploads.publish(to, placeOf(to));
    assert.ok((await readAll(storage, placeOf(to))).equals(bytes));
  });

  test(`${name}: creating an upload again keeps its stored bytes`, async (t) => {
    const { storage } = await make(t);
    const to = upload('twice', 10);
    await storage.uploads.create(to);
    const sha256 = await storePart(storage, to, 0, makeBytes(10));
    await storage.uploads.create(to);
    assert.deepEqual(await storage.uploads.hashExtent('twice', { offset: 0, length: 10 }), sha256);
    assert.deepEqual(await storage.uploads.list(), ['twice']);
  });

  test(`${name}: a discarded upload has no bytes; discard can be repeated`, async (t) => {
    const { storage } = await make(t);
    const to = upload('rubbish', 10);
    await storage.uploads.discard('rubbish');
    await storePart(storage, to, 0, makeBytes(10));
    storage.prefixes?.follow(to, 10);
    await storage.uploads.discard('rubbish');
    await storage.uploads.discard('rubbish');
    assert.deepEqual(await storage.uploads.list(), []);
    await assert.rejects(storage.uploads.hashExtent('rubbish', { offset: 0, length: 10 }), BytesGone);
  });

  test(`${name}: an extent that cannot be read has no digest`, async (t) => {
    const { storage } = await make(t);
    await assert.rejects(storage.uploads.hashExtent('nobody', { offset: 0, length: 1 }), BytesGone);
    await storage.uploads.create(upload('short', 10));
    await assert.rejects(storage.uploads.hashExtent('short', { offset: 5, length: 6 }), BytesGone);
    assert.deepEqual(await storage.uploads.hashExtent('short', { offset: 5, length: 5 }), sha256Of(Buffer.alloc(5)));
  });
}

function describeDigests(name: string, make: MakeStorage): void {
  test(`${name}: the whole-file digest is correct for any growth of the prefix`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(5 * MIB + 3);
    const to = upload('whole', bytes.length);
    for (const idx of [1, 0, 3, 2, 5, 4]) {
      await storePart(storage, to, idx * MIB, bytes.subarray(idx * MIB, (idx + 1) * MIB));
      if (idx % 2 === 0) storage.prefixes?.follow(to, Math.min((idx + 2) * MIB, bytes.length));
    }
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
  });

  test(`${name}: the whole-file digest needs no calls of follow, and an empty file has one`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB);
    await storePart(storage, upload('at-once', bytes.length), 0, bytes);
    const to = upload('at-once', bytes.length);
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
    const none = upload('empty', 0);
    await storage.uploads.create(none);
    assert.deepEqual((await storage.uploads.digest(none, placeOf(none))).sha256, sha256Of(new Uint8Array()));
  });

  test(`${name}: the digests of selected parts come with the whole-file digest, with any part size`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(7 * MIB + 5);
    for (const partSizeBytes of [70_000, MIB, 2 * MIB + 1, 3 * MIB, bytes.length]) {
      const to = upload(`parts-of-${partSizeBytes}`, bytes.length);
      await storePart(storage, to, 0, bytes);
      const partCount = Math.ceil(bytes.length / partSizeBytes);
      const selected = Uint8Array.from({ length: partCount }, (_, idx) => (idx % 3 === 1 ? 0 : 1));
      // The selection at the start of the pass applies.
      storage.prefixes?.follow(to, MIB, () => ({ partSizeBytes, selected }));
      const digest = await storage.uploads.digest(
        to,
        placeOf(to),
        storage.prefixes ? null : { partSizeBytes, selected },
      );
      assert.deepEqual(digest.sha256, sha256Of(bytes));
      const expected = [...selected.keys()].filter((idx) => selected[idx]);
      assert.deepEqual([...digest.parts.keys()], expected);
      for (const [idx, sha256] of digest.parts) {
        assert.deepEqual(sha256, sha256Of(bytes.subarray(idx * partSizeBytes, (idx + 1) * partSizeBytes)));
      }
    }
  });

  test(`${name}: bytes after the reported prefix are read later`, async (t) => {
    const { storage } = await make(t);
    const to = upload('behind', 2 * MIB);
    const bytes = makeBytes(2 * MIB);
    await storePart(storage, to, 0, bytes.subarray(0, MIB));
    storage.prefixes?.follow(to, MIB);
    // Had the digest read ahead of the prefix, it would have read zeros here.
    assert.deepEqual(
      await storage.uploads.hashExtent(to.id, { offset: 0, length: MIB }),
      sha256Of(bytes.subarray(0, MIB)),
    );
    await storePart(storage, to, MIB, bytes.subarray(MIB));
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
  });

  test(`${name}: a cancelled digest starts again`, async (t) => {
    const { storage } = await make(t);
    const to = upload('anew', 2 * MIB);
    await storePart(storage, to, 0, makeBytes(MIB, 1));
    storage.prefixes?.follow(to, MIB);
    await storage.uploads.hashExtent(to.id, { offset: 0, length: MIB });
    const bytes = makeBytes(2 * MIB, 2);
    await storePart(storage, to, 0, bytes);
    storage.prefixes?.forget(to.id);
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
  });

  test(`${name}: a digest of missing bytes is refused, and can be requested again`, async (t) => {
    const { storage, lose } = await make(t);
    const to = upload('late', 10);
    await storage.uploads.create(to);
    await lose('late');
    await assert.rejects(storage.uploads.digest(to, placeOf(to)), hasCode('storage_unavailable'));
    const bytes = makeBytes(10);
    await storePart(storage, to, 0, bytes);
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
  });
}

function describePublishing(name: string, make: MakeStorage): void {
  test(`${name}: a published file is complete, readable in ranges, and no longer staged`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(100_000);
    const file = await publishWhole(storage, upload('book', bytes.length), bytes);
    assert.deepEqual(await storage.uploads.list(), []);
    assert.deepEqual(await storage.files.list(), [file.fileId]);
    assert.equal(await storage.files.stat(file), bytes.length);
    assert.ok((await readAll(storage, file)).equals(bytes));
    assert.ok((await readAll(storage, file, 99_999, 99_999)).equals(bytes.subarray(99_999)));
    assert.ok((await readAll(storage, file, 1, 70_000)).equals(bytes.subarray(1, 70_001)));
  });

  test(`${name}: an empty file can be published`, async (t) => {
    const { storage } = await make(t);
    const file = await publishWhole(storage, upload('nothing', 0), new Uint8Array());
    assert.equal(await storage.files.stat(file), 0);
  });

  test(`${name}: publishing again, after the record was lost, changes nothing`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(1000);
    const to = upload('again', bytes.length);
    const file = await publishWhole(storage, to, bytes);
    assert.deepEqual((await storage.uploads.digest(to, file)).sha256, sha256Of(bytes));
    await storage.uploads.publish(to, file);
    assert.ok((await readAll(storage, file)).equals(bytes));
    assert.deepEqual(await storage.uploads.list(), []);
  });

  test(`${name}: an undone publish is staged again, writable, and can be published again`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(1000);
    const to = upload('withdrawn', bytes.length);
    const file = await publishWhole(storage, to, bytes);
    await storage.uploads.withdraw(to, file);
    await storage.uploads.withdraw(to, file);
    assert.deepEqual([await storage.uploads.list(), await storage.files.list()], [['withdrawn'], []]);
    const part = makeBytes(100, 7);
    await storePart(storage, { ...to, empty: false }, 100, part);
    part.copy(bytes, 100);
    await storage.uploads.publish(to, file);
    assert.ok((await readAll(storage, file)).equals(bytes));
  });

  test(`${name}: bytes of another length, or none, are never published`, async (t) => {
    const { storage, lose } = await make(t);
    await storage.uploads.create(upload('wrong', 10));
    const expected = upload('wrong', 11);
    await assert.rejects(storage.uploads.publish(expected, placeOf(expected)), hasCode('storage_unavailable'));
    assert.deepEqual(await storage.uploads.list(), ['wrong']);
    assert.equal(await storage.files.stat(placeOf(expected)), null);
    await lose('wrong');
    await assert.rejects(
      storage.uploads.publish(upload('wrong', 10), placeOf(expected)),
      hasCode('storage_unavailable'),
    );
    assert.deepEqual(await storage.files.list(), []);
  });

  test(`${name}: a published file is digested again, at the given rate`, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB + 5);
    const file = await publishWhole(storage, upload('slow', bytes.length), bytes);
    const asked: number[] = [];
    const digest = await storage.files.digest(file, async (length) => void asked.push(length));
    assert.deepEqual(digest, sha256Of(bytes));
    assert.equal(
      asked.reduce((sum, length) => sum + length, 0),
      bytes.length,
    );
    assert.ok(asked.length > 3, 'in stretches');
    const none = await publishWhole(storage, upload('none', 0), makeBytes(0));
    assert.deepEqual(await storage.files.digest(none, async () => {}), sha256Of(new Uint8Array()));
    const stop = new Error('enough');
    await assert.rejects(
      storage.files.digest(file, () => Promise.reject(stop)),
      stop,
    );
    await storage.files.remove(file.fileId);
    await assert.rejects(
      storage.files.digest(file, async () => {}),
      BytesGone,
    );
  });

  test(`${name}: a removed file has no bytes or previews; remove can be repeated`, async (t) => {
    const { storage } = await make(t);
    const file = await publishWhole(storage, upload('old', 3), makeBytes(3));
    assert.deepEqual(await storage.previews.list(), []);
    await storage.previews.keep(file.fileId, 'picture', makeBytes(5));
    assert.deepEqual(await storage.previews.list(), [file.fileId]);
    assert.deepEqual(Buffer.from((await storage.previews.read(file.fileId, 'picture')) ?? []), makeBytes(5));
    await removeStored(storage, file.fileId);
    await removeStored(storage, file.fileId);
    assert.equal(await storage.files.stat(file), null);
    assert.equal(await storage.files.read(file, { start: 0, end: 2 }), null);
    assert.deepEqual(await storage.files.list(), []);
    assert.deepEqual(await storage.previews.list(), []);
    assert.equal(await storage.previews.read(file.fileId, 'picture'), null);
  });
}
