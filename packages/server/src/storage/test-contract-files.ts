/** What every storage must do, as tests that run on each of them: digests of the whole, and published files. */
import assert from 'node:assert/strict';
import { type TestOptions, test } from 'node:test';
import { BytesGone } from './errors.ts';
import { removeStored } from './removal.ts';
import { hasCode, type MakeStorage, MIB, makeBytes, publishWhole, readAll, sha256Of, stage } from './test-storage.ts';

export function describeDigests(name: string, make: MakeStorage, options: TestOptions = {}): void {
  test(`${name}: the whole digest is that of the file, however its prefix grew`, options, async (t) => {
    const { storage } = await make(t);
    const partBytes = Math.max(MIB, storage.uploads.limits.minPartSizeBytes);
    const bytes = makeBytes(5 * partBytes + 3);
    const upload = await stage(storage, 'whole', bytes.length, partBytes);
    for (const idx of [1, 0, 3, 2, 5, 4]) {
      await upload.store(idx, bytes.subarray(idx * partBytes, (idx + 1) * partBytes));
      if (idx % 2 === 0) storage.prefixes?.follow(upload.to, Math.min((idx + 2) * partBytes, bytes.length));
    }
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
  });

  test(`${name}: the whole digest needs no steps, and an empty file has one`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB);
    const upload = await stage(storage, 'at-once', bytes.length);
    await upload.storeAll(bytes);
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
    const none = await stage(storage, 'empty', 0);
    assert.deepEqual((await none.digest()).sha256, sha256Of(new Uint8Array()));
  });

  test(`${name}: the digests of selected parts come with the whole one, whatever the part size`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(7 * MIB + 5);
    for (const partSizeBytes of [70_000, MIB, 2 * MIB + 1, 3 * MIB, bytes.length]) {
      const upload = await stage(storage, `parts-of-${partSizeBytes}`, bytes.length);
      await upload.storeAll(bytes);
      const partCount = Math.ceil(bytes.length / partSizeBytes);
      const selected = Uint8Array.from({ length: partCount }, (_, idx) => (idx % 3 === 1 ? 0 : 1));
      // What is selected when the pass begins counts.
      storage.prefixes?.follow(upload.to, MIB, () => ({ partSizeBytes, selected }));
      await upload.assemble();
      const digest = await storage.uploads.digest(
        upload.to,
        upload.place,
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

  test(`${name}: bytes that are behind what was noted are read as they are then`, options, async (t) => {
    const { storage } = await make(t);
    const partBytes = Math.max(MIB, storage.uploads.limits.minPartSizeBytes);
    const bytes = makeBytes(2 * partBytes);
    const upload = await stage(storage, 'behind', bytes.length, partBytes);
    await upload.store(0, bytes.subarray(0, partBytes));
    storage.prefixes?.follow(upload.to, partBytes);
    // Had the digest read ahead of the prefix, it would have seen a hole here.
    assert.deepEqual(await upload.findLost(), []);
    await upload.store(1, bytes.subarray(partBytes));
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
  });

  test(`${name}: a digest that was forgotten begins anew`, options, async (t) => {
    const { storage } = await make(t);
    const upload = await stage(storage, 'anew', 2 * MIB);
    await upload.store(0, makeBytes(2 * MIB, 1));
    storage.prefixes?.follow(upload.to, MIB);
    assert.deepEqual(await upload.findLost(), []);
    const bytes = makeBytes(2 * MIB, 2);
    await upload.store(0, bytes);
    storage.prefixes?.forget(upload.to.id);
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
  });

  test(`${name}: bytes that are not there have no digest, which can be asked for again`, options, async (t) => {
    const { storage, lose } = await make(t);
    const bytes = makeBytes(10);
    const upload = await stage(storage, 'late', 10);
    await upload.store(0, bytes);
    await lose(upload.to);
    await assert.rejects(upload.digest(), BytesGone);
    await upload.renew();
    await upload.store(0, bytes);
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
  });
}

export function describePublishing(name: string, make: MakeStorage, options: TestOptions = {}): void {
  test(`${name}: a published file is whole, readable in ranges, and no longer staged`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(100_000);
    const { place: file } = await publishWhole(storage, 'book', bytes);
    assert.deepEqual(await storage.uploads.list(), []);
    assert.deepEqual(await storage.files.list(), [file.fileId]);
    assert.equal(await storage.files.stat(file), bytes.length);
    assert.ok((await readAll(storage, file)).equals(bytes));
    assert.ok((await readAll(storage, file, 99_999, 99_999)).equals(bytes.subarray(99_999)));
    assert.ok((await readAll(storage, file, 1, 70_000)).equals(bytes.subarray(1, 70_001)));
  });

  test(`${name}: publishing again, after the record was lost, changes nothing`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(1000);
    const upload = await publishWhole(storage, 'again', bytes);
    assert.deepEqual((await upload.digest()).sha256, sha256Of(bytes));
    const file = await upload.publish();
    assert.ok((await readAll(storage, file)).equals(bytes));
    assert.deepEqual(await storage.uploads.list(), []);
  });

  test(`${name}: an empty file is published, and again`, options, async (t) => {
    const { storage } = await make(t);
    const upload = await publishWhole(storage, 'none', makeBytes(0));
    await upload.publish();
    assert.equal(await storage.files.stat(upload.place), 0);
    assert.deepEqual(await storage.uploads.list(), []);
    assert.deepEqual(await storage.files.list(), [upload.place.fileId]);
  });

  test(
    `${name}: a publish that is withdrawn leaves no file, and the upload can be published again`,
    options,
    async (t) => {
      const { storage } = await make(t);
      const bytes = makeBytes(1000);
      const upload = await publishWhole(storage, 'withdrawn', bytes);
      const left = await storage.uploads.withdraw(upload.to, upload.place);
      await storage.uploads.withdraw(upload.to, upload.place);
      assert.deepEqual(await storage.files.list(), []);
      assert.deepEqual(await upload.findLost(), left === 'staged' ? [] : [0]);
      await upload.renew();
      assert.deepEqual(
        (await storage.uploads.list()).map(({ id }) => id),
        ['withdrawn'],
      );
      const other = makeBytes(1000, 7);
      await upload.store(0, other);
      assert.ok((await readAll(storage, await upload.publish())).equals(other));
    },
  );

  test(`${name}: bytes of another length, or none, are never published`, options, async (t) => {
    const { storage, lose } = await make(t);
    const { to, place } = await stage(storage, 'wrong', 10);
    const longer = { ...place, sizeBytes: 11 };
    await assert.rejects(storage.uploads.publish({ ...to, sizeBytes: 11 }, longer), hasCode('storage_unavailable'));
    assert.deepEqual(
      (await storage.uploads.list()).map(({ id }) => id),
      ['wrong'],
    );
    assert.equal(await storage.files.stat(longer), null);
    await lose(to);
    await assert.rejects(storage.uploads.publish(to, longer), hasCode('storage_unavailable'));
    assert.deepEqual(await storage.files.list(), []);
  });

  test(`${name}: a published file is digested anew, no faster than it is let`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB + 5);
    const { place: file } = await publishWhole(storage, 'slow', bytes);
    const asked: number[] = [];
    const digest = await storage.files.digest(file, async (length) => void asked.push(length));
    assert.deepEqual(digest, sha256Of(bytes));
    assert.equal(
      asked.reduce((sum, length) => sum + length, 0),
      bytes.length,
    );
    assert.ok(asked.length > 3, 'in stretches');
    const { place: none } = await publishWhole(storage, 'none', makeBytes(0));
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

  test(`${name}: a removed file is gone with its previews, however often it is removed`, options, async (t) => {
    const { storage } = await make(t);
    const { place: file } = await publishWhole(storage, 'old', makeBytes(3));
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
