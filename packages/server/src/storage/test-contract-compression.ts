/** What storages must do that can compress files, as tests that run on each of them. */
import assert from 'node:assert/strict';
import { type TestContext, type TestOptions, test } from 'node:test';
import { BytesDamaged, BytesGone } from './errors.ts';
import type { FileCompressor } from './file-compressor.ts';
import { openByteSource } from './open-byte-source.ts';
import type { FilePlace } from './places.ts';
import { removeStored } from './removal.ts';
import type { Storage } from './storage.ts';
import { type MakeStorage, MIB, makeBytes, placeOf, publishWhole, readAll, sha256Of, upload } from './test-storage.ts';

const NEVER = new AbortController().signal;

/** As counts of electrons are: bytes of which few have more than two bits. Over several frames, the last one not whole. */
function makeCounts(length = 3 * MIB + 12_345): Buffer {
  return Buffer.from(makeBytes(length).map((byte) => byte & 3));
}

export function describeCompression(name: string, make: MakeStorage, options: TestOptions = {}): void {
  const compressed = async (t: TestContext, bytes: Buffer) => {
    const { storage } = await make(t);
    const { place } = await publishWhole(storage, 'movie', bytes);
    const compressor = compressorOf(storage);
    const stored = await compressor.compress(place, sha256Of(bytes), NEVER);
    assert.ok(stored);
    return { storage, compressor, place, stored };
  };

  test(`${name}: a compressed file is read as the original, also in ranges and threads`, options, async (t) => {
    const bytes = makeCounts();
    const { storage, compressor, place, stored } = await compressed(t, bytes);
    assert.ok(stored.sizeBytes < bytes.length / 2, `${stored.sizeBytes}`);
    // Both are there; then the original is removed, and once more.
    await assertIs(storage, place, bytes);
    for (let run = 0; run < 2; run++) await compressor.removeOriginal(place, stored);
    // A reader may have read the record before.
    for (const isCompressed of [false, true]) await assertIs(storage, { ...place, isCompressed }, bytes);
    assert.equal(await storage.files.read(place, { start: bytes.length, end: bytes.length }), null);
    assert.deepEqual(await storage.files.list(), [place.fileId]);
    assert.deepEqual(await storage.uploads.list(), []);
    await removeStored(storage, place.fileId);
    assert.deepEqual(await storage.files.list(), []);
    assert.equal(await storage.files.stat(place), null);
    assert.equal(await storage.files.read(place, { start: 0, end: 0 }), null);
  });

  test(`${name}: what is compressed twice, or at two servers at once, is stored once`, options, async (t) => {
    const bytes = makeCounts();
    const { storage, compressor, place, stored } = await compressed(t, bytes);
    assert.deepEqual(await compressor.compress(place, sha256Of(bytes), NEVER), stored);
    const { place: other } = await publishWhole(storage, 'other', bytes);
    const both = await Promise.allSettled([1, 2].map(() => compressor.compress(other, sha256Of(bytes), NEVER)));
    // One of them may end because the other one was at it.
    const values = both.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    if (values.length === 0) values.push(await compressor.compress(other, sha256Of(bytes), NEVER));
    for (const value of values) assert.deepEqual(value, stored);
    await compressor.removeOriginal(other, stored);
    await assertIs(storage, other, bytes);
  });

  test(`${name}: the original stays when compressed bytes are not those of it`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeCounts(MIB);
    const { place } = await publishWhole(storage, 'damaged', bytes);
    const compressor = compressorOf(storage);
    await assert.rejects(compressor.compress(place, sha256Of(makeBytes(1)), NEVER), BytesDamaged);
    await assert.rejects(compressor.removeOriginal(place, { sizeBytes: 1, sha256: sha256Of(bytes) }), BytesDamaged);
    await assertIs(storage, place, bytes);
  });

  test(`${name}: bytes that do not become smaller, and those of a signal, stay as they are`, options, async (t) => {
    const { storage } = await make(t);
    const noise = makeBytes(2 * MIB);
    const { place } = await publishWhole(storage, 'noise', noise);
    const compressor = compressorOf(storage);
    assert.equal(await compressor.compress(place, sha256Of(noise), NEVER), null);
    await assertIs(storage, place, noise);
    const { place: counts } = await publishWhole(storage, 'counts', makeCounts());
    const reason = new Error('enough');
    await assert.rejects(compressor.compress(counts, sha256Of(makeCounts()), AbortSignal.abort(reason)), reason);
    await assertIs(storage, counts, makeCounts());
    assert.deepEqual(await storage.uploads.list(), []);
    await removeStored(storage, counts.fileId);
    await assert.rejects(compressor.compress(counts, sha256Of(makeCounts()), NEVER), BytesGone);
    assert.deepEqual(await storage.files.list(), [place.fileId]);
  });

  test(`${name}: a copy of a compressed file has the same stored bytes`, options, async (t) => {
    const bytes = makeCounts(MIB);
    const { storage, compressor, place, stored } = await compressed(t, bytes);
    await compressor.removeOriginal(place, stored);
    const to = upload('copied', bytes.length);
    const at = (file: FilePlace) => ({ ...file, isCompressed: true, sizeBytes: stored.sizeBytes });
    await storage.uploads.publishCopy(to, at(place), at(placeOf(to, storage)), stored.sha256);
    await removeStored(storage, place.fileId);
    await assertIs(storage, placeOf(to, storage), bytes);
  });
}

function compressorOf({ compressor }: Storage): FileCompressor {
  assert.ok(compressor);
  return compressor;
}

async function assertIs(storage: Storage, place: FilePlace, bytes: Buffer): Promise<void> {
  assert.equal(await storage.files.stat(place), bytes.length);
  assert.ok((await readAll(storage, place)).equals(bytes));
  assert.deepEqual(await storage.files.digest(place, async () => {}), sha256Of(bytes));
  const source = await openByteSource(await storage.files.sourceUrl(place));
  try {
    for (const [start, end] of rangesOf(bytes.length)) {
      const read = await storage.files.read(place, { start, end });
      assert.ok(read);
      assert.ok(Buffer.concat((await read.toArray()) as Buffer[]).equals(bytes.subarray(start, end + 1)), `${start}`);
      const target = Buffer.alloc(end + 1 - start);
      await source.read(start, target);
      assert.ok(target.equals(bytes.subarray(start, end + 1)), `${start} in a thread`);
    }
    await assert.rejects(source.read(bytes.length - 1, Buffer.alloc(2)), { code: 'ENODATA' });
  } finally {
    await source.close();
  }
}

/** At the borders of frames, and across them. */
function rangesOf(length: number): (readonly [number, number])[] {
  const last = length - 1;
  const borders = [0, MIB - 1, MIB, MIB + 1, 2 * MIB - 1].filter((at) => at < last);
  return [...borders.flatMap((start) => [[start, start] as const, [start, last] as const]), [last, last], [0, last]];
}
