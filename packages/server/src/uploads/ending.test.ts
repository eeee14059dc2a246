import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { commitPart, findPart } from '../db/parts.ts';
import { draftPart } from '../db/test-rows.ts';
import { sweep } from '../jobs/sweep.ts';
import { completeUpload } from './completion.ts';
import { openUpload } from './creation.ts';
import { cancelUpload, expireUpload } from './ending.ts';
import { findUpload } from './lookup.ts';
import { beginTestPart, bytesOf, makeRoom, openSession, readRow, sendPart, type TestRoom } from './test-uploads.ts';

const ada = { owner: 'ada' };

async function isStaged(room: TestRoom, id: string): Promise<boolean> {
  return await stat(room.stagedPath(id)).then(
    () => true,
    () => false,
  );
}

function isRefusal(error: unknown, ...codes: string[]): boolean {
  return error instanceof UploadError && codes.includes(error.code);
}

test('a cancelled upload is freed, stays cancelled, and can be cancelled again', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await sendPart(room, row, 0);
  await cancelUpload(room, ada, row.id);
  assert.deepEqual([(await readRow(room, row.id)).status, await isStaged(room, row.id)], ['cancelled', false]);
  await cancelUpload(room, ada, row.id);
  await assert.rejects(sendPart(room, row, 1), (error) => isRefusal(error, 'upload_closed'));
  await assert.rejects(cancelUpload(room, { owner: 'bob' }, row.id), (error) => isRefusal(error, 'upload_not_found'));
});

test('an upload that is verified or a file already is not cancelled', async (context) => {
  const room = await makeRoom(context);
  for (const status of ['verifying', 'completed'] as const) {
    const row = await openSession(room, { status });
    await assert.rejects(cancelUpload(room, ada, row.id), (error) => isRefusal(error, 'upload_closed'));
    assert.equal(await isStaged(room, row.id), true);
  }
});

test('a part under way when its upload is cancelled writes nothing any more and is told why', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  const begun = await beginTestPart(room, row, 0);
  assert.ok(begun.kind === 'receiving');
  begun.reception.write(bytesOf(row, 0).subarray(0, 10));
  await cancelUpload(room, ada, row.id);
  assert.equal(await isStaged(room, row.id), false);
  begun.reception.write(bytesOf(row, 0).subarray(10));
  await assert.rejects(begun.reception.commit(), (error) => isRefusal(error, 'upload_closed'));
  assert.equal(room.attempts.count, 0);
});

test('wherever a cancel meets a part that begins, nothing stays behind that the sweep would trip over', async (context) => {
  const room = await makeRoom(context);
  // The cancel starts this many turns of the microtask queue after the part.
  for (let turns = 0; turns <= 120; turns += 2) {
    const row = await openSession(room);
    const beginning = beginTestPart(room, row, 0).catch((error: unknown) => {
      assert.ok(isRefusal(error, 'upload_closed', 'overloaded'), `${turns}: ${error}`);
      return null;
    });
    for (let turn = 0; turn < turns; turn++) await null;
    await cancelUpload(room, ada, row.id);
    const begun = await beginning;
    if (begun?.kind === 'receiving') {
      // The row says cancelled: nobody may still be writing.
      begun.reception.write(bytesOf(row, 0));
      await assert.rejects(begun.reception.commit(), (error) => isRefusal(error, 'upload_closed', 'overloaded'));
    }
    assert.equal(await findPart(room.db, row.id, 0), undefined);
    assert.equal(await isStaged(room, row.id), false, `a staging file was made again (${turns} turns)`);
  }
});

test('an expired upload is freed, by whoever looks first', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room, { expires_at: 2001 });
  assert.equal((await findUpload(room, ada, row.id)).status, 'pending');
  room.clock.nowMs = 2001;
  assert.equal((await findUpload(room, ada, row.id)).status, 'expired');
  assert.equal(await isStaged(room, row.id), false);
  await assert.rejects(sendPart(room, row, 0), (error) => isRefusal(error, 'upload_expired'));
});

test('a part that arrives between the look and the deed keeps its upload from expiring', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room, { expires_at: 2000 });
  // The sweep has listed the row; then a slow part comes to its end.
  await commitPart(room.db, row.id, draftPart(0));
  assert.equal(await expireUpload(room, row), undefined);
  assert.deepEqual([(await readRow(room, row.id)).status, await isStaged(room, row.id)], ['uploading', true]);
});

test('what is verified, completed or cancelled does not expire', async (context) => {
  const room = await makeRoom(context);
  for (const status of ['verifying', 'completed', 'cancelled'] as const) {
    const row = await openSession(room, { status, expires_at: 1 });
    assert.equal(await expireUpload(room, row), undefined);
    assert.equal((await readRow(room, row.id)).status, status);
  }
});

test('of cancel and complete at once one wins, and the loser is told', async (context) => {
  const room = await makeRoom(context);
  for (let turns = 0; turns <= 60; turns += 5) {
    const row = await openSession(room);
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
    const completing = completeUpload(room, ada, row.id, undefined, 'r').catch((error: unknown) => {
      assert.ok(isRefusal(error, 'upload_closed'), `${error}`);
      return null;
    });
    for (let turn = 0; turn < turns; turn++) await null;
    const cancelled = await cancelUpload(room, ada, row.id).then(
      () => true,
      (error) => assert.ok(isRefusal(error, 'upload_closed'), `${error}`),
    );
    const completed = await completing;
    assert.notEqual(completed !== null, cancelled === true);
    assert.equal((await readRow(room, row.id)).status, cancelled ? 'cancelled' : 'completed');
  }
});

test('an upload that is completed by many at once becomes one file', async (context) => {
  const room = await makeRoom(context);
  for (let turns = 0; turns <= 200; turns += 10) {
    const row = await openSession(room);
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
    const first = completeUpload(room, ada, row.id, undefined, 'r');
    for (let turn = 0; turn < turns; turn++) await null;
    const done = await Promise.all([first, completeUpload(room, ada, row.id, undefined, 'r')]);
    assert.equal(new Set(done.map((each) => each.kind === 'completed' && each.file.id)).size, 1);
  }
});

test('expiry: nothing expires while the clock is not settled, and its upload is found and goes on', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room, { fingerprint: 'f', expires_at: 2001 });
  room.clock.isSettled = false;
  room.clock.nowMs = 1_000_000;
  assert.deepEqual(await sweep(room), { expired: 0, deleted: 0, leftovers: 0, forgotten: 0 });
  assert.equal((await findUpload(room, ada, row.id)).status, 'pending');
  const asked = { filename: row.filename, size: row.size, fingerprint: 'f' };
  const found = await openUpload(room, row.owner, asked, null);
  assert.deepEqual([found.row.id, found.resumed], [row.id, true]);
  await sendPart(room, row, 0);
  const after = await readRow(room, row.id);
  assert.deepEqual([after.status, after.expires_at > 1_000_000], ['uploading', true]);
  // Silence from then on counts.
  room.clock.isSettled = true;
  assert.equal((await findUpload(room, ada, row.id)).status, 'uploading');
  room.clock.nowMs = after.expires_at;
  assert.equal((await sweep(room)).expired, 1);
});

test('expiry: what has ended is not forgotten while the clock is not settled', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await cancelUpload(room, ada, row.id);
  room.clock.isSettled = false;
  room.clock.nowMs = 1_000_000;
  assert.equal((await sweep(room)).forgotten, 0);
  assert.equal((await findUpload(room, ada, row.id)).status, 'cancelled');
  room.clock.isSettled = true;
  assert.equal((await sweep(room)).forgotten, 1);
});
