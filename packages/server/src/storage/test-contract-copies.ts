/** What every storage must do, as tests that run on each of them: copies of published files. */
import assert from 'node:assert/strict';
import { type TestOptions, test } from 'node:test';
import { BytesGone } from './errors.ts';
import { removeStored } from './removal.ts';
import { type MakeStorage, makeBytes, placeOf, publishWhole, readAll, sha256Of, upload } from './test-storage.ts';

export function describeCopies(name: string, make: MakeStorage, options: TestOptions = {}): void {
  test(
    `${name}: a copy has the bytes of its source under its own name, and stays when that is removed`,
    options,
    async (t) => {
      const { storage } = await make(t);
      const bytes = makeBytes(100_000);
      const { place: source } = await publishWhole(storage, 'source', bytes);
      const to = upload('copy', bytes.length);
      const file = { ...placeOf(to, storage), filename: 'a + b %2F µ.mrc' };
      for (let run = 0; run < 2; run++) await storage.uploads.publishCopy(to, source, file, sha256Of(bytes));
      assert.ok((await readAll(storage, file)).equals(bytes));
      assert.deepEqual((await storage.files.list()).sort(), [source.fileId, file.fileId].sort());
      assert.deepEqual(await storage.uploads.list(), []);
      await removeStored(storage, source.fileId);
      assert.ok((await readAll(storage, file)).equals(bytes));
      await removeStored(storage, file.fileId);
      assert.deepEqual(await storage.files.list(), []);
    },
  );

  test(`${name}: a copy of a copy, two at once, and one of an empty file`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(1000);
    const { place: source } = await publishWhole(storage, 'first', bytes);
    const to = upload('second', bytes.length);
    const file = placeOf(to, storage);
    const copy = () => storage.uploads.publishCopy(to, source, file, sha256Of(bytes));
    await Promise.all([copy(), copy()]);
    const third = upload('third', bytes.length);
    await storage.uploads.publishCopy(third, file, placeOf(third, storage), sha256Of(bytes));
    await removeStored(storage, file.fileId);
    assert.ok((await readAll(storage, placeOf(third, storage))).equals(bytes));
    const { place: none } = await publishWhole(storage, 'none', makeBytes(0));
    const empty = upload('empty copy', 0);
    await storage.uploads.publishCopy(empty, none, placeOf(empty, storage), sha256Of(makeBytes(0)));
    assert.equal(await storage.files.stat(placeOf(empty, storage)), 0);
  });

  test(`${name}: nothing is copied of a source that is gone or has another length`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(1000);
    const { place: source } = await publishWhole(storage, 'kept', bytes);
    const to = upload('copied', 1000);
    const copy = (of: typeof source, sizeBytes: number) =>
      storage.uploads.publishCopy(to, of, { ...placeOf(to, storage), sizeBytes }, sha256Of(bytes));
    await assert.rejects(copy({ ...source, sizeBytes: 1001 }, 1001), BytesGone);
    await removeStored(storage, source.fileId);
    await assert.rejects(copy(source, 1000), BytesGone);
    assert.equal(await storage.files.stat(placeOf(to, storage)), null);
    assert.deepEqual(await storage.uploads.list(), []);
  });
}
