import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesGone } from '../errors.ts';
import { makeBytes, publishWhole } from '../test-storage.ts';
import { listMultiparts } from './multiparts.ts';
import { copyObject } from './object-copy.ts';
import { makeBucket, withService } from './test-bucket.ts';

const MIB = 1024 * 1024;
/** As for objects of more than 5 GiB. */
const IN_PARTS = { singleBytes: 6 * MIB, partBytes: 5 * MIB };

async function listIds(bucket: Parameters<typeof listMultiparts>[0], prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of listMultiparts(bucket, prefix)) ids.push(id);
  return ids;
}

test('object copy: a large object is copied in parts, and again', withService, async (t) => {
  const { storage, direct, keys } = await makeBucket(t);
  const bytes = makeBytes(11 * MIB + 5);
  const { place } = await publishWhole(storage, 'large', bytes);
  const [from, to] = [keys.ofFile(place), keys.ofFile({ fileId: 'copy', filename: 'a + b µ.mrc' })];
  for (let run = 0; run < 2; run++) await copyObject(direct, from, to, bytes.length, IN_PARTS);
  const found = await direct.get(to);
  assert.ok(Buffer.concat((await found?.toArray()) as Buffer[]).equals(bytes));
  assert.deepEqual(await listIds(direct, keys.files), []);
});

test('object copy: of a source that is missing, or has another length, nothing is made', withService, async (t) => {
  const { storage, direct, keys } = await makeBucket(t);
  const { place } = await publishWhole(storage, 'short', makeBytes(1000));
  const to = keys.ofFile({ fileId: 'copy', filename: 'a.mrc' });
  await assert.rejects(copyObject(direct, keys.ofFile(place), to, 1001), BytesGone);
  await assert.rejects(copyObject(direct, `${to}.none`, to, 1000), BytesGone);
  assert.equal(await direct.head(to), null);
});

test('object copy: parts that fail leave no multipart upload', withService, async (t) => {
  const { storage, direct, keys } = await makeBucket(t);
  const bytes = makeBytes(11 * MIB);
  const { place } = await publishWhole(storage, 'gone', bytes);
  const [from, to] = [keys.ofFile(place), keys.ofFile({ fileId: 'copy', filename: 'a.mrc' })];
  const create = direct.createMultipart.bind(direct);
  direct.createMultipart = async (key) => {
    // Between the look at the source and its parts.
    await direct.remove(from);
    return await create(key);
  };
  await assert.rejects(copyObject(direct, from, to, bytes.length, IN_PARTS), BytesGone);
  assert.deepEqual(await listIds(direct, keys.files), []);
  assert.equal(await direct.head(to), null);
});
