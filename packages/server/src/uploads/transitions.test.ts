import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Session } from '@cryolift/protocol/messages';
import { listEvents } from '../db/events.ts';
import { deleteFile } from '../files/files.ts';
import { completeUpload } from './completion.ts';
import { openUpload } from './creation.ts';
import { cancelUpload, expireUpload } from './ending.ts';
import { makeRoom, openSession, readRow, sendPart, type TestRoom } from './test-uploads.ts';
import { moveUpload } from './transitions.ts';

const ADA = { owner: 'ada' };

async function readEvents(room: TestRoom) {
  const rows = await listEvents(room.db, ADA, 0, 100);
  return rows.map(({ type, subject, data }) => ({
    type: type.replace('cryolift.', ''),
    subject,
    data: JSON.parse(data),
  }));
}

/** A room, and how often its listeners of `ada` were told of news and of parts. */
async function makeHeardRoom(context: TestContext) {
  const room = await makeRoom(context);
  const heard = { news: 0, parts: 0 };
  room.bus.listen(ADA, { noteNews: () => heard.news++, noteParts: () => heard.parts++ });
  return { room, heard };
}

test('from init to deletion, every change of state is told, with the session as it was then', async (context) => {
  const { room, heard } = await makeHeardRoom(context);
  const { row } = await openUpload(room, 'ada', { filename: 'a.bin', size: 250, fingerprint: 'f' }, null);
  await openUpload(room, 'ada', { filename: 'a.bin', size: 250, fingerprint: 'f' }, null);
  for (let idx = 0; idx < 3; idx++) await sendPart(room, row, idx);
  const done = await completeUpload(room, ADA, row.id, undefined, 'r');
  assert.ok(done.kind === 'completed');
  await deleteFile(room, done.file);
  await assert.rejects(deleteFile(room, done.file));

  const events = await readEvents(room);
  const told = events.map(({ type, subject, data }) => [type, subject, (data as Session).status]);
  assert.deepEqual(told, [
    ['upload.created', `uploads/${row.id}`, 'pending'],
    ['upload.verifying', `uploads/${row.id}`, 'verifying'],
    ['upload.completed', `uploads/${row.id}`, 'completed'],
    ['file.deleted', `files/${done.file.id}`, undefined],
  ]);
  assert.equal(events[2]?.data.file_id, done.file.id);
  assert.equal(events[3]?.data.filename, 'a.bin');
  assert.deepEqual(heard, { news: 4, parts: 3 });
});

test('the other ends are told too', async (context) => {
  const { room, heard } = await makeHeardRoom(context);
  const cancelled = await openSession(room);
  await cancelUpload(room, ADA, cancelled.id);
  await cancelUpload(room, ADA, cancelled.id);
  const expired = await openSession(room, { expires_at: 1 });
  await expireUpload(room, expired);
  const failed = await openSession(room, { status: 'verifying' });
  await moveUpload(room, failed.id, 'fail', { failure: '{"code":"invalid_mrc","message":"m","request_id":"r"}' });
  const told = (await readEvents(room)).map(({ type, subject, data }) => [type, subject, data.failure?.code]);
  assert.deepEqual(told, [
    ['upload.cancelled', `uploads/${cancelled.id}`, undefined],
    ['upload.expired', `uploads/${expired.id}`, undefined],
    ['upload.failed', `uploads/${failed.id}`, 'invalid_mrc'],
  ]);
  assert.equal(heard.news, 3);
});

test('what cannot be told does not happen', async (context) => {
  const { room, heard } = await makeHeardRoom(context);
  const row = await openSession(room);
  await room.db.schema.dropTable('events').execute();
  await assert.rejects(cancelUpload(room, ADA, row.id));
  assert.equal((await readRow(room, row.id)).status, 'pending');
  await assert.rejects(openUpload(room, 'ada', { filename: 'a.bin', size: 250 }, null));
  assert.equal((await room.db.selectFrom('uploads').select('id').execute()).length, 1);
  assert.equal(heard.news, 0);
});
