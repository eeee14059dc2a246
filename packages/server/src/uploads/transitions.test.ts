import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { listEvents } from '../db/events.ts';
import { plain } from '../db/test-rows.ts';
import { deleteFile } from '../files/deletion.ts';
import { cancelUpload } from './cancellation.ts';
import { completeUpload } from './completion.ts';
import { openUpload } from './creation.ts';
import { expireUpload } from './ending.ts';
import { insertUpload, makeUploads, readRow, sendPart, type TestUploads } from './test-uploads.ts';
import { moveSeenUpload, moveUpload } from './transitions.ts';
import { toUpload } from './upload-record.ts';

const ADA = { owner: 'ada' };

async function readEvents(context: TestUploads) {
  const rows = await listEvents(context.db, ADA, 0, 100);
  return rows.map(({ type, subject, data }) => ({
    type: type.replace('cryolift.', ''),
    subject,
    data: JSON.parse(data),
  }));
}

/** A context, and the number of notifications for `ada` about events and parts. */
async function makeListenedUploads(t: TestContext) {
  const context = await makeUploads(t);
  const notified = { events: 0, parts: 0 };
  context.bus.listen(ADA, { notifyChange: () => notified.events++, noteParts: () => notified.parts++ });
  return { context, notified };
}

test('transitions: from init to deletion every change emits an event with the record after it', async (t) => {
  const { context, notified } = await makeListenedUploads(t);
  const { row } = await openUpload(context, 'ada', { filename: 'a.bin', size: 250, fingerprint: 'f' }, null);
  await openUpload(context, 'ada', { filename: 'a.bin', size: 250, fingerprint: 'f' }, null);
  for (let idx = 0; idx < 3; idx++) await sendPart(context, row, idx);
  const done = await completeUpload(context, ADA, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  await deleteFile(context, done.file);
  await assert.rejects(deleteFile(context, done.file));

  const events = await readEvents(context);
  const received = events.map(({ type, subject, data }) => [type, subject, (data as UploadRecord).status]);
  assert.deepEqual(received, [
    ['upload.created', `uploads/${row.id}`, 'pending'],
    ['upload.verifying', `uploads/${row.id}`, 'verifying'],
    ['upload.completed', `uploads/${row.id}`, 'completed'],
    ['file.published', `files/${done.file.id}`, undefined],
    ['file.deleted', `files/${done.file.id}`, undefined],
  ]);
  assert.equal(events[2]?.data.file_id, done.file.id);
  assert.deepEqual(events[2]?.data.file, done.file.record);
  assert.deepEqual(events[3]?.data, done.file.record);
  assert.equal(events[4]?.data.filename, 'a.bin');
  assert.deepEqual(notified, { events: 5, parts: 3 });
});

test('transitions: the other ends emit events', async (t) => {
  const { context, notified } = await makeListenedUploads(t);
  const cancelled = await insertUpload(context);
  await cancelUpload(context, ADA, cancelled.id);
  await cancelUpload(context, ADA, cancelled.id);
  const expired = await insertUpload(context, { expires_at: 1 });
  await expireUpload(context, expired);
  const failed = await insertUpload(context, { status: 'verifying' });
  await moveUpload(context, failed.id, 'fail', { failure: '{"code":"invalid_mrc","message":"m","request_id":"r"}' });
  const received = (await readEvents(context)).map(({ type, subject, data }) => [type, subject, data.failure?.code]);
  assert.deepEqual(received, [
    ['upload.cancelled', `uploads/${cancelled.id}`, undefined],
    ['upload.expired', `uploads/${expired.id}`, undefined],
    ['upload.failed', `uploads/${failed.id}`, 'invalid_mrc'],
  ]);
  assert.equal(notified.events, 3);
});

// Invariant 4
test('transitions: a change whose event cannot be written is rolled back', async (t) => {
  const { context, notified } = await makeListenedUploads(t);
  const row = await insertUpload(context);
  await context.db.schema.dropTable('events').execute();
  await assert.rejects(cancelUpload(context, ADA, row.id));
  assert.equal((await readRow(context, row.id)).status, 'pending');
  await assert.rejects(openUpload(context, 'ada', { filename: 'a.bin', size: 250 }, null));
  assert.equal((await context.db.selectFrom('uploads').select('id').execute()).length, 1);
  assert.equal(notified.events, 0);
});

// Invariant 4
test('transitions: what has changed since an upload was read is in its event', async (t) => {
  const changes = [
    { metadata: '{"grid":"2"}' },
    { received_parts: 2, received_bytes: 200 },
    { sha256: new Uint8Array(32).fill(1) },
    { updated_at: 5000 },
    {},
  ];
  for (const change of changes) {
    const { context, notified } = await makeListenedUploads(t);
    const seen = await insertUpload(context, { status: 'uploading', received_parts: 1, received_bytes: 100 });
    if (Object.keys(change).length > 0) {
      await context.db.updateTable('uploads').set(change).where('id', '=', seen.id).execute();
    }
    const moved = await moveSeenUpload(context, seen, 'complete', { file_id: 'f' });
    const stored = await readRow(context, seen.id);
    assert.deepEqual(plain(moved), plain(stored));
    const [event, ...others] = await readEvents(context);
    assert.deepEqual(event?.data, JSON.parse(JSON.stringify(await toUpload(context.db, stored))));
    assert.deepEqual([others.length, notified.events], [0, 1]);
  }
});

test('transitions: an upload that was cancelled since it was read is not moved', async (t) => {
  const { context } = await makeListenedUploads(t);
  const seen = await insertUpload(context);
  await cancelUpload(context, ADA, seen.id);
  assert.equal(await moveSeenUpload(context, seen, 'complete', { file_id: 'f' }), undefined);
  assert.deepEqual(
    (await readEvents(context)).map(({ type }) => type),
    ['upload.cancelled'],
  );
});
