import assert from 'node:assert/strict';
import { transition, UPLOAD_EVENTS, UPLOAD_STATES } from '@cryolift/protocol/states';
import { transact } from '../database.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile, draftPart, draftRow, insertRow, plain } from '../test-rows.ts';
import { commitPart, listParts } from './parts.ts';
import { purgeUploads } from './upload-purge.ts';
import {
  findUploadRow,
  listExpired,
  listStagedRefs,
  listUploadRows,
  moveUploadRow,
  recordPublished,
} from './uploads.ts';

testDatabases('uploads: every event changes the state as in the table of states, or not at all', async (db) => {
  for (const status of UPLOAD_STATES) {
    for (const event of UPLOAD_EVENTS) {
      const row = await insertRow(db, { status, expires_at: 5000 });
      const moved = await moveUploadRow(db, row.id, event, 5000, { failure: '{}' });
      const to = transition(status, event);
      const expected = to === null ? undefined : { ...row, status: to, updated_at: 5000, failure: '{}' };
      assert.deepEqual(plain(moved), expected, `${event} in ${status}`);
      assert.deepEqual(plain(await findUploadRow(db, row.id)), expected ?? row, `${event} in ${status}`);
    }
  }
  assert.equal(await moveUploadRow(db, 'nobody', 'cancel', 5000), undefined);
});

testDatabases('of cancel and complete at once one wins', async (db) => {
  for (const events of [['cancel', 'complete'] as const, ['complete', 'cancel'] as const]) {
    const { id } = await insertRow(db, { status: 'uploading' });
    const moved = await Promise.all(events.map((event) => moveUploadRow(db, id, event, 1)));
    assert.equal(moved.filter(Boolean).length, 1);
  }
});

testDatabases('uploads: a file is recorded together with the end of its upload, or not at all', async (db) => {
  const open = await insertRow(db, { status: 'uploading' });
  assert.equal(await transact(db, (tx) => recordPublished(tx, draftFile('f1', 950, open.id))), undefined);
  assert.equal((await db.selectFrom('files').select('id').execute()).length, 0);
  const verifying = await insertRow(db, { status: 'verifying' });
  assert.ok(await transact(db, (tx) => recordPublished(tx, draftFile('f2', 950, verifying.id))));
  assert.equal((await findUploadRow(db, verifying.id))?.status, 'completed');
  // The id is taken: the upload must not end without its file.
  const other = await insertRow(db, { status: 'verifying' });
  await assert.rejects(transact(db, (tx) => recordPublished(tx, draftFile('f2', 950, other.id))));
  assert.equal((await findUploadRow(db, other.id))?.status, 'verifying');
});

testDatabases('uploads: lists expired uploads, and uploads with staged bytes', async (db) => {
  const ids = new Map<string, string>();
  for (const status of UPLOAD_STATES) ids.set(status, (await insertRow(db, { status, expires_at: 500 })).id);
  await insertRow(db, { status: 'uploading', expires_at: 501 });
  const expired = (await listExpired(db, { nowMs: 500, after: '', limit: 10 })).map((row) => row.status).sort();
  assert.deepEqual(expired, ['failed', 'pending', 'uploading']);
  const staged = await listStagedRefs(db);
  for (const status of UPLOAD_STATES) {
    const isStaged = ['pending', 'uploading', 'verifying', 'failed'].includes(status);
    assert.equal(staged.has(ids.get(status) as string), isStaged, status);
  }
});

testDatabases("uploads: pages through an owner's uploads, newest first", async (db) => {
  const rows = [];
  for (let at = 0; at < 5; at++) rows.unshift(await insertRow(db, { status: at % 2 ? 'failed' : 'pending' }));
  await insertRow(db, { owner: 'bob' });
  assert.deepEqual((await listUploadRows(db, 'ada', { limit: 2 })).map(plain), rows.slice(0, 2));
  assert.deepEqual((await listUploadRows(db, 'ada', { limit: 9, before: rows[1]?.id })).map(plain), rows.slice(2));
  const failed = await listUploadRows(db, 'ada', { limit: 9, status: 'failed' });
  assert.deepEqual(
    failed.map((row) => row.id),
    [rows[1]?.id, rows[3]?.id],
  );
});

testDatabases('uploads: old ended uploads are deleted with their parts and keys; others stay', async (db) => {
  for (const status of UPLOAD_STATES) {
    for (const updatedAtMs of [99, 100]) {
      const row = draftRow();
      await db.insertInto('uploads').values(row).execute();
      const key = { key: `${status} ${updatedAtMs}`, request_sha256: new Uint8Array(32), created_at: 1000 };
      await db
        .insertInto('idempotency_keys')
        .values({ owner: row.owner, upload_id: row.id, ...key })
        .execute();
      await commitPart(db, row.id, draftPart(0));
      await db.updateTable('uploads').set({ status, updated_at: updatedAtMs }).where('id', '=', row.id).execute();
    }
  }
  const ended = ['cancelled', 'completed', 'expired'];
  assert.equal(await purgeUploads(db, 100, 1), 1);
  assert.equal(await purgeUploads(db, 100, 100), ended.length - 1);
  const left = await db.selectFrom('uploads').selectAll().execute();
  assert.equal(left.length, 2 * UPLOAD_STATES.length - ended.length);
  assert.deepEqual(
    left.filter((row) => ended.includes(row.status)).map((row) => row.updated_at),
    [100, 100, 100],
  );
  const keys = await db.selectFrom('idempotency_keys').select('upload_id').execute();
  assert.deepEqual(keys.map((key) => key.upload_id).sort(), left.map((row) => row.id).sort());
  for (const row of left) assert.equal((await listParts(db, row.id, 0, 10)).length, 1);
  assert.equal((await db.selectFrom('parts').select('idx').execute()).length, left.length);
});
