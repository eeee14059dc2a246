/** Files in a bucket, whose SHA-256 is computed after they were published. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { findFile } from '../db/files.ts';
import { listJobs } from '../db/jobs.ts';
import type { FileRow } from '../db/tables.ts';
import { digestWork } from '../jobs/digest.ts';
import { JobQueue } from '../jobs/queue.ts';
import { makeBucket, withService } from '../storage/s3/test-bucket.ts';
import { completeUpload } from '../uploads/completion.ts';
import type { UploadContext } from '../uploads/context.ts';
import { bytesOf, insertUpload, makeUploads, sendPart } from '../uploads/test-uploads.ts';
import { DIGEST_JOB, digestFile } from './late-digest.ts';

const NEVER = new AbortController().signal;

async function makeBucketUploads(t: TestContext) {
  const [made, { storage, direct, keys }] = [await makeUploads(t), await makeBucket(t)];
  made.clock.nowMs = Date.now();
  const context: UploadContext = { ...made, storage };
  /** Of one part. @param sha256 that the client declares at its end. */
  const publish = async (sha256?: string) => {
    const row = await insertUpload(made, {
      size: 100,
      part_count: 1,
      expires_at: Date.now() + 1e9,
    });
    await sendPart(context, row, 0);
    const done = await completeUpload(context, { owner: row.owner }, row.id, sha256, 'r');
    assert.ok(done.kind === 'completed');
    return { row, file: done.file, digest: createHash('sha256').update(bytesOf(row, 0)).digest() };
  };
  const types = async () =>
    (await made.db.selectFrom('events').select('type').orderBy('seq').execute()).map((e) => e.type);
  return { context, publish, types, direct, keys };
}

async function readFile(context: UploadContext, id: string): Promise<FileRow> {
  return (await findFile(context.db, id)) as FileRow;
}

test(
  'late digest: without a declared one a file is published at once, and its job records the digest',
  withService,
  async (t) => {
    const { context, publish, types } = await makeBucketUploads(t);
    const { row, file, digest } = await publish();
    assert.deepEqual([file.record.sha256, (await readFile(context, file.id)).sha256], [null, null]);
    const late = completeUpload(context, { owner: row.owner }, row.id, digest.toString('hex'), 'r');
    await assert.rejects(late, { code: 'overloaded' });
    const queue = new JobQueue(context, DIGEST_JOB, digestWork(context), 1);
    t.after(() => queue.stop());
    queue.wake();
    while ((await listJobs(context.db, file.id)).some(({ status }) => status !== 'done')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(Buffer.from((await readFile(context, file.id)).sha256 ?? []), digest);
    assert.equal((await types()).at(-1), 'cryolift.file.digest_ready');
    const again = await completeUpload(context, { owner: row.owner }, row.id, digest.toString('hex'), 'r');
    assert.ok(again.kind === 'completed' && again.file.record.sha256 === digest.toString('hex'));
    const other = completeUpload(context, { owner: row.owner }, row.id, '00'.repeat(32), 'r');
    await assert.rejects(other, { code: 'file_checksum_mismatch' });
    assert.equal(await digestFile(context, file.id, NEVER), 'nothing');
  },
);

test(
  'late digest: with a declared one the digest is there when the file is, and there is no job',
  withService,
  async (t) => {
    const { context, publish } = await makeBucketUploads(t);
    const expected = createHash('sha256').update(Buffer.alloc(100, 1)).digest();
    const { file } = await publish(expected.toString('hex'));
    assert.equal(file.record.sha256, expected.toString('hex'));
    assert.deepEqual(await listJobs(context.db, file.id), []);
  },
);

test('late digest: a file whose stored parts are others gets no digest, and is reported', withService, async (t) => {
  const { context, publish, types, direct, keys } = await makeBucketUploads(t);
  const { file } = await publish();
  await direct.put(keys.ofFile(file.place), Buffer.alloc(100, 7));
  assert.equal(await digestFile(context, file.id, NEVER), 'damaged');
  assert.equal((await readFile(context, file.id)).sha256, null);
  assert.equal((await types()).at(-1), 'cryolift.file.damaged');
});

test('late digest: it ends with its signal, and is done again later', withService, async (t) => {
  const { context, publish } = await makeBucketUploads(t);
  const { file, digest } = await publish();
  const stop = new Error('stop');
  await assert.rejects(digestFile(context, file.id, AbortSignal.abort(stop)), stop);
  assert.equal(await digestFile(context, file.id, NEVER), 'recorded');
  assert.deepEqual(Buffer.from((await readFile(context, file.id)).sha256 ?? []), digest);
});
