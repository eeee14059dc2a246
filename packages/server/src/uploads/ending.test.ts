import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { CHECK_DATASET } from '../dataset-jobs.ts';
import { draftDataset } from '../datasets/draft.ts';
import { insertDataset } from '../db/datasets/rows.ts';
import type { UploadRow } from '../db/tables.ts';
import { draftPart } from '../db/test-rows.ts';
import { commitPart, findPart } from '../db/uploads/parts.ts';
import { sweep } from '../jobs/sweep.ts';
import { cancelUpload } from './cancellation.ts';
import { completeUpload } from './completion.ts';
import { openUpload } from './creation.ts';
import { expireUpload } from './ending.ts';
import { findUpload } from './lookup.ts';
import {
  beginTestPart,
  bytesOf,
  insertUpload,
  makeUploads,
  readRow,
  sendPart,
  type TestUploads,
} from './test-uploads.ts';
import { reportLost } from './verification/lost-parts.ts';

const ada = { owner: 'ada' };

async function isStaged(context: TestUploads, id: string): Promise<boolean> {
  return await stat(context.stagedPath(id)).then(
    () => true,
    () => false,
  );
}

function isRefusal(error: unknown, ...codes: string[]): boolean {
  return error instanceof UploadError && codes.includes(error.code);
}

test('cancel: frees the upload, and can be repeated', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendPart(context, row, 0);
  await cancelUpload(context, ada, row.id);
  assert.deepEqual([(await readRow(context, row.id)).status, await isStaged(context, row.id)], ['cancelled', false]);
  await cancelUpload(context, ada, row.id);
  await assert.rejects(sendPart(context, row, 1), (error) => isRefusal(error, 'upload_closed'));
  await assert.rejects(cancelUpload(context, { owner: 'bob' }, row.id), (error) =>
    isRefusal(error, 'upload_not_found'),
  );
});

test('cancel: an upload in verification or published is not cancelled', async (t) => {
  const context = await makeUploads(t);
  for (const status of ['verifying', 'completed'] as const) {
    const row = await insertUpload(context, { status });
    await assert.rejects(cancelUpload(context, ada, row.id), (error) => isRefusal(error, 'upload_closed'));
    assert.equal(await isStaged(context, row.id), true);
  }
});

test('cancel: a part in transit writes nothing more and gets the reason', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  const started = await beginTestPart(context, row, 0);
  assert.ok(started.kind === 'receiving');
  started.receiver.write(bytesOf(row, 0).subarray(0, 10));
  await cancelUpload(context, ada, row.id);
  assert.equal(await isStaged(context, row.id), false);
  started.receiver.write(bytesOf(row, 0).subarray(10));
  await assert.rejects(started.receiver.commit(), (error) => isRefusal(error, 'upload_closed'));
  assert.equal(context.attempts.count, 0);
});

test('cancel: at any point of a starting part, no staged bytes remain', async (t) => {
  const context = await makeUploads(t);
  // The cancel starts this many turns of the microtask queue after the part.
  for (let queue = 0; queue <= 120; queue += 2) {
    const row = await insertUpload(context);
    const beginning = beginTestPart(context, row, 0).catch((error: unknown) => {
      assert.ok(isRefusal(error, 'upload_closed', 'overloaded'), `${queue}: ${error}`);
      return null;
    });
    for (let turn = 0; turn < queue; turn++) await null;
    await cancelUpload(context, ada, row.id);
    const started = await beginning;
    if (started?.kind === 'receiving') {
      // The row is cancelled: no write may be running.
      started.receiver.write(bytesOf(row, 0));
      await assert.rejects(started.receiver.commit(), (error) => isRefusal(error, 'upload_closed', 'overloaded'));
    }
    assert.equal(await findPart(context.db, row.id, 0), undefined);
    assert.equal(await isStaged(context, row.id), false, `a staging file was made again (${queue} queue)`);
  }
});

test('cancel: a part that finds no bytes of a cancelled upload gets the reason, and nothing is reported lost', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await sendPart(context, row, 0);
  const before = await readRow(context, row.id);
  await cancelUpload(context, ada, row.id);
  const logged: string[] = [];
  const log = { ...context.log, error: (_: object, message: string) => logged.push(message) };
  assert.equal((await reportLost({ ...context, log }, before)).code, 'upload_closed');
  assert.deepEqual(logged, []);
});

// Invariant 6
test('expiry: an expired upload is freed by the first access', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context, { expires_at: 2001 });
  assert.equal((await findUpload(context, ada, row.id)).status, 'pending');
  context.clock.nowMs = 2001;
  assert.equal((await findUpload(context, ada, row.id)).status, 'expired');
  assert.equal(await isStaged(context, row.id), false);
  await assert.rejects(sendPart(context, row, 0), (error) => isRefusal(error, 'upload_expired'));
});

test('expiry: of accesses at once, each finds the upload expired', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context, { expires_at: 2000 });
  const found = await Promise.all(Array.from({ length: 4 }, () => findUpload(context, ada, row.id)));
  assert.deepEqual(
    found.map(({ status }) => status),
    ['expired', 'expired', 'expired', 'expired'],
  );
});

test('expiry: a part that arrives between read and change extends the upload', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context, { expires_at: 2000 });
  // The sweep has listed the row; then a slow part is committed.
  await commitPart(context.db, row.id, draftPart(0));
  assert.equal(await expireUpload(context, row), undefined);
  assert.deepEqual([(await readRow(context, row.id)).status, await isStaged(context, row.id)], ['uploading', true]);
});

test('expiry: uploads in verification, completed or cancelled do not expire', async (t) => {
  const context = await makeUploads(t);
  for (const status of ['verifying', 'completed', 'cancelled'] as const) {
    const row = await insertUpload(context, { status, expires_at: 1 });
    assert.equal(await expireUpload(context, row), undefined);
    assert.equal((await readRow(context, row.id)).status, status);
  }
});

// Invariant 4
test('ending: of a concurrent cancel and complete one wins, and the other gets an error', async (t) => {
  const context = await makeUploads(t);
  for (let queue = 0; queue <= 60; queue += 5) {
    const row = await insertUpload(context);
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
    const completing = completeUpload(context, ada, row.id, undefined, 'r').catch((error: unknown) => {
      assert.ok(isRefusal(error, 'upload_closed'), `${error}`);
      return null;
    });
    for (let turn = 0; turn < queue; turn++) await null;
    const cancelled = await cancelUpload(context, ada, row.id).then(
      () => true,
      (error) => assert.ok(isRefusal(error, 'upload_closed'), `${error}`),
    );
    const completed = await completing;
    assert.notEqual(completed !== null, cancelled === true);
    assert.equal((await readRow(context, row.id)).status, cancelled ? 'cancelled' : 'completed');
  }
});

test('ending: concurrent completions give one file', async (t) => {
  const context = await makeUploads(t);
  for (let queue = 0; queue <= 200; queue += 10) {
    const row = await insertUpload(context);
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
    const first = completeUpload(context, ada, row.id, undefined, 'r');
    for (let turn = 0; turn < queue; turn++) await null;
    const done = await Promise.all([first, completeUpload(context, ada, row.id, undefined, 'r')]);
    assert.equal(new Set(done.map((each) => each.kind === 'completed' && each.file.id)).size, 1);
  }
});

test('expiry: nothing expires while the clock is not reliable, and the upload can be resumed', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context, { fingerprint: 'f', expires_at: 2001 });
  context.clock.isSettled = false;
  context.clock.nowMs = 1_000_000;
  assert.deepEqual(await sweep(context), { expired: 0, deleted: 0, leftovers: 0, forgotten: 0 });
  assert.equal((await findUpload(context, ada, row.id)).status, 'pending');
  const asked = { filename: row.filename, size: row.size, fingerprint: 'f' };
  const found = await openUpload(context, row.owner, asked, null);
  assert.deepEqual([found.row.id, found.resumed], [row.id, true]);
  await sendPart(context, row, 0);
  const after = await readRow(context, row.id);
  assert.deepEqual([after.status, after.expires_at > 1_000_000], ['uploading', true]);
  // Silence from then on counts.
  context.clock.isSettled = true;
  assert.equal((await findUpload(context, ada, row.id)).status, 'uploading');
  context.clock.nowMs = after.expires_at;
  assert.equal((await sweep(context)).expired, 1);
});

test('expiry: ended uploads are not deleted while the clock is not reliable', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await cancelUpload(context, ada, row.id);
  context.clock.isSettled = false;
  context.clock.nowMs = 1_000_000;
  assert.equal((await sweep(context)).forgotten, 0);
  assert.equal((await findUpload(context, ada, row.id)).status, 'cancelled');
  context.clock.isSettled = true;
  assert.equal((await sweep(context)).forgotten, 1);
});

test('cancel, expire: a dataset that waits for the end of an upload is looked at again, at once', async (t) => {
  const context = await makeUploads(t);
  const draft = draftDataset('d1', 'ada', { name: 'grid', complete_when_whole: true, expected_files: 1 }, 1000);
  await insertDataset(context.db, { ...draft, files: 1 });
  const waiting = async () => {
    const jobs = await context.db.selectFrom('jobs').selectAll().where('kind', '=', CHECK_DATASET).execute();
    // As one that has looked before, and waits for long.
    await context.db.updateTable('jobs').set({ attempts: 5, run_at: 1e15 }).execute();
    return jobs.filter(({ attempts }) => attempts === 0).map(({ file_id }) => file_id);
  };
  const rows = [await insertUpload(context, { dataset_id: 'd1' }), await insertUpload(context, { dataset_id: 'd1' })];
  const other = await insertUpload(context);
  assert.deepEqual(await waiting(), []);
  await cancelUpload(context, ada, rows[0]?.id ?? '');
  assert.deepEqual(await waiting(), ['d1']);
  context.clock.nowMs += 1e9;
  await expireUpload(context, rows[1] as UploadRow);
  assert.deepEqual(await waiting(), ['d1']);
  await cancelUpload(context, ada, other.id);
  assert.deepEqual(await waiting(), []);
});
