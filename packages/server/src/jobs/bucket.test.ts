/** Housekeeping of uploads whose bytes are in a bucket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadRow } from '../db/tables.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { makeBucket, withService } from '../storage/s3/test-bucket.ts';
import { cancelUpload } from '../uploads/cancellation.ts';
import type { UploadContext } from '../uploads/context.ts';
import { createStaged, ensureStaged } from '../uploads/staging.ts';
import { insertUpload, makeUploads } from '../uploads/test-uploads.ts';
import { sweep } from './sweep.ts';

const HOUR_MS = 3_600_000;

async function makeBucketUploads(t: Parameters<typeof makeBucket>[0]) {
  const [made, { storage }] = [await makeUploads(t), await makeBucket(t)];
  const { clock } = made;
  clock.nowMs = Date.now();
  const context: UploadContext = { ...made, storage };
  const insert = async () => await insertUpload(made, { expires_at: clock.nowMs + 100 * HOUR_MS });
  const listRefs = async () => (await storage.uploads.list()).map(({ ref }) => ref).sort();
  return { context, clock, storage, insert, listRefs };
}

async function refOf(context: UploadContext, { id }: UploadRow): Promise<string | null | undefined> {
  return (await findUploadRow(context.db, id))?.storage_ref;
}

test(
  'sweep: a second multipart upload of a live upload is aborted after an hour, the recorded one is kept',
  withService,
  async (t) => {
    const { context, clock, storage, insert, listRefs } = await makeBucketUploads(t);
    const row = await createStaged(context, await insert());
    const second = await storage.uploads.create({
      id: row.id,
      filename: row.filename,
      ref: null,
      sizeBytes: row.size,
      partSizeBytes: row.part_size,
      empty: true,
    });
    await sweep(context);
    assert.deepEqual(await listRefs(), [row.storage_ref, second].sort());
    clock.nowMs += 2 * HOUR_MS;
    await sweep(context);
    assert.deepEqual(await listRefs(), [row.storage_ref]);
    await cancelUpload(context, { owner: row.owner }, row.id);
    assert.deepEqual(await listRefs(), []);
  },
);

test('staging: servers that create the place of an upload at once agree on one', withService, async (t) => {
  const { context, insert, listRefs } = await makeBucketUploads(t);
  const row = await insert();
  const placed = await Promise.all([1, 2, 3].map(() => ensureStaged(context, row)));
  const [ref] = await listRefs();
  assert.ok(ref);
  assert.deepEqual(
    placed.map(({ storage_ref }) => storage_ref),
    [ref, ref, ref],
  );
  assert.deepEqual([await listRefs(), await refOf(context, row)], [[ref], ref]);
});

test('staging: an upload that has ended meanwhile gets no place', withService, async (t) => {
  const { context, insert, listRefs } = await makeBucketUploads(t);
  const row = await insert();
  await cancelUpload(context, { owner: row.owner }, row.id);
  await assert.rejects(ensureStaged(context, row), { code: 'upload_closed' });
  assert.deepEqual([await listRefs(), await refOf(context, row)], [[], null]);
});
