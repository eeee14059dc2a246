/** What every storage must do, as tests that run on each of them: writing and staging. */
import assert from 'node:assert/strict';
import { type TestOptions, test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import fc from 'fast-check';
import { describeCopies } from './test-contract-copies.ts';
import { describeDigests, describePublishing } from './test-contract-files.ts';
import { describePieces } from './test-contract-pieces.ts';
import { feed, type MakeStorage, MIB, makeBytes, openSink, readAll, sha256Of, stage, tryPart } from './test-storage.ts';

export function describeStorage(name: string, make: MakeStorage, options: TestOptions = {}): void {
  describeWriting(name, make, options);
  describeStaging(name, make, options);
  describeDigests(name, make, options);
  describePublishing(name, make, options);
  describeCopies(name, make, options);
  describePieces(name, make, options);
}

function describeWriting(name: string, make: MakeStorage, options: TestOptions = {}): void {
  test(`${name}: parts in any order, in pieces of any size, lie where they belong`, options, async (t) => {
    const { storage } = await make(t);
    const { minPartSizeBytes } = storage.uploads.limits;
    const isSlow = minPartSizeBytes > MIB;
    const sizes = isSlow ? [minPartSizeBytes, minPartSizeBytes + 1] : [1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB];
    let run = 0;
    const plans = fc.record({
      partBytes: fc.constantFrom(...sizes),
      order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      chunkBytes: fc.oneof(
        fc.constantFrom(64 * 1024, MIB - 1, MIB, MIB + 1, 3 * MIB),
        fc.integer({ min: 500, max: 3 * MIB }),
      ),
      isDeclared: fc.boolean(),
      lastBytes: fc.integer({ min: 1, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(plans, async ({ partBytes, order, chunkBytes, isDeclared, lastBytes }) => {
        const bytes = makeBytes(2 * partBytes + Math.min(lastBytes, partBytes), ++run);
        const upload = await stage(storage, `any-${run}`, bytes.length, partBytes);
        for (const idx of order) {
          const part = bytes.subarray(idx * partBytes, (idx + 1) * partBytes);
          const stored = await upload.store(idx, part, { chunkBytes, isDeclared });
          assert.deepEqual(stored, sha256Of(part));
        }
        const file = await upload.publish();
        assert.ok((await readAll(storage, file)).equals(bytes));
      }),
      { numRuns: isSlow ? 4 : 12 },
    );
  });

  test(`${name}: single bytes are bytes too`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(5000);
    const upload = await stage(storage, 'ones', bytes.length);
    assert.deepEqual(await upload.store(0, bytes, { chunkBytes: 1 }), sha256Of(bytes));
    assert.deepEqual(await upload.findLost(), []);
  });

  test(`${name}: sinks at different places of one upload, and of two uploads, do not mix`, options, async (t) => {
    const { storage } = await make(t);
    const partBytes = Math.max(2 * MIB, storage.uploads.limits.minPartSizeBytes);
    const bytes = makeBytes(3 * partBytes);
    const uploads = [
      await stage(storage, 'left', bytes.length, partBytes),
      await stage(storage, 'right', bytes.length, partBytes),
    ];
    await Promise.all(
      uploads.flatMap((upload) =>
        [0, 1, 2].map(async (idx) => {
          const part = bytes.subarray(idx * partBytes, (idx + 1) * partBytes);
          assert.deepEqual(await upload.store(idx, part, { chunkBytes: 100_000 }), sha256Of(part));
        }),
      ),
    );
    for (const upload of uploads) {
      assert.deepEqual(await upload.findLost(), []);
      assert.ok((await readAll(storage, await upload.publish())).equals(bytes));
    }
  });

  test(`${name}: a writer that is faster than the storage is asked to wait`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(64 * MIB);
    const { to } = await stage(storage, 'fast', bytes.length);
    const sink = await openSink(storage, to, 0, bytes.length);
    const ready = sink.write(bytes);
    assert.ok(ready instanceof Promise);
    await ready;
    assert.deepEqual((await sink.commit()).sha256, sha256Of(bytes));
  });

  test(`${name}: a sink that was given up writes nothing any more`, options, async (t) => {
    const { storage } = await make(t);
    const upload = await stage(storage, 'given-up', 8 * MIB);
    const sink = await openSink(storage, upload.to, 0, 8 * MIB);
    const given = makeBytes(8 * MIB, 2);
    const ready = sink.write(given);
    const refused = ready && assert.rejects(ready, UploadError);
    await sink.abort();
    await refused;
    assert.throws(() => sink.write(makeBytes(1)), UploadError);
    await sink.abort();
    // The place can be written again at once.
    const bytes = makeBytes(8 * MIB, 3);
    assert.deepEqual(await upload.store(0, bytes), sha256Of(bytes));
    assert.throws(() => sink.write(makeBytes(1)), UploadError);
    assert.deepEqual(await upload.findLost(), []);
    assert.ok((await readAll(storage, await upload.publish())).equals(bytes));
  });

  test(`${name}: giving up after the end changes nothing`, options, async (t) => {
    const { storage } = await make(t);
    const upload = await stage(storage, 'done', 10);
    const sink = await openSink(storage, upload.to, 0, 10);
    await feed(sink, makeBytes(10));
    const committed = await sink.commit();
    await sink.abort();
    assert.deepEqual(await sink.commit(), committed);
    upload.note(0, committed);
    assert.deepEqual(await upload.findLost(), []);
  });

  test(
    `${name}: a part that differs from its declared digest says what came, and is not taken for the declared one`,
    options,
    async (t) => {
      const { storage } = await make(t);
      const [announced, came] = [makeBytes(100_000, 1), makeBytes(100_000, 2)];
      const upload = await stage(storage, 'differs', announced.length);
      const sink = await openSink(storage, upload.to, 0, came.length, sha256Of(announced));
      await feed(sink, came, 30_000);
      const { sha256, receipt } = await sink.commit();
      assert.deepEqual(sha256, sha256Of(came));
      upload.note(0, { sha256: sha256Of(announced), receipt });
      assert.deepEqual(await upload.findLost(), [0]);
      await upload.store(0, announced, { isDeclared: true });
      assert.ok((await readAll(storage, await upload.publish())).equals(announced));
    },
  );

  test(`${name}: a sink that only hashes stores nothing`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB + 7);
    const sink = storage.openHash();
    await feed(sink, bytes, 70_000);
    assert.deepEqual(await sink.commit(), { sha256: sha256Of(bytes), receipt: null });
    assert.deepEqual((await storage.openHash().commit()).sha256, sha256Of(new Uint8Array()));
    assert.deepEqual(await storage.uploads.list(), []);
  });
}

function describeStaging(name: string, make: MakeStorage, options: TestOptions = {}): void {
  test(
    `${name}: bytes that vanished are reported when parts are recorded, and the place can be renewed`,
    options,
    async (t) => {
      const { storage, lose } = await make(t);
      const bytes = makeBytes(20);
      const upload = await stage(storage, 'gone', 20);
      await upload.store(0, bytes);
      await lose(upload.to);
      assert.deepEqual(await storage.uploads.list(), []);
      assert.deepEqual(await upload.findLost(), [0]);
      assert.equal(await tryPart(storage, { ...upload.to, empty: false }, bytes), 'lost');
      await upload.renew();
      assert.deepEqual(await upload.store(0, bytes), sha256Of(bytes));
      assert.deepEqual(await upload.findLost(), []);
      assert.ok((await readAll(storage, await upload.publish())).equals(bytes));
    },
  );

  test(`${name}: a place that is renewed while it is there keeps its parts`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(20);
    const upload = await stage(storage, 'renewed', 20);
    await upload.store(0, bytes);
    await upload.renew();
    assert.deepEqual(await upload.findLost(), []);
    assert.ok((await readAll(storage, await upload.publish())).equals(bytes));
  });

  test(`${name}: creating an upload again harms nothing that is stored`, options, async (t) => {
    const { storage } = await make(t);
    const upload = await stage(storage, 'twice', 10);
    await upload.store(0, makeBytes(10));
    await storage.uploads.create(upload.to);
    assert.deepEqual(await upload.findLost(), []);
    assert.deepEqual(new Set((await storage.uploads.list()).map(({ id }) => id)), new Set(['twice']));
  });

  test(`${name}: what is discarded is gone, however often it is discarded`, options, async (t) => {
    const { storage } = await make(t);
    const upload = await stage(storage, 'rubbish', 10);
    await upload.store(0, makeBytes(10));
    storage.prefixes?.follow(upload.to, 10);
    const [found] = await storage.uploads.list();
    assert.ok(found);
    assert.deepEqual([found.id, found.ref], ['rubbish', upload.to.ref]);
    await storage.uploads.discard(found);
    await storage.uploads.discard(upload.to);
    assert.deepEqual(await storage.uploads.list(), []);
    assert.deepEqual(await upload.findLost(), [0]);
  });

  test(`${name}: parts that are not stored, or otherwise than recorded, are found lost`, options, async (t) => {
    const { storage } = await make(t);
    const partBytes = storage.uploads.limits.minPartSizeBytes;
    const upload = await stage(storage, 'parts', 3 * partBytes, partBytes);
    for (const idx of [0, 1]) await upload.store(idx, makeBytes(partBytes, idx));
    const [kept, other] = upload.parts;
    assert.ok(kept && other);
    const parts = [kept, { ...kept, idx: 1 }, { ...other, idx: 2 }];
    assert.deepEqual(await storage.uploads.findLost(upload.to, parts), [1, 2]);
  });
}
