import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveSession } from '../db/sessions.ts';
import { resumeVerifying } from './completion.ts';
import { makeRoom, openSession, readRow, sendPart } from './test-uploads.ts';
import { toPlace } from './upload-record.ts';

test('a file that was published meanwhile is not touched by whoever comes late to finish it', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
  // As `resumeVerifying` lists it, before it waits for the uploads listed before this one.
  const listed = await moveSession(room.db, row.id, 'complete', 2000, { file_id: 'f1' });
  assert.ok(listed);
  const file = await room.finishing.run(room, listed, 'the client');
  const again = await room.finishing.run(room, listed, 'restart').catch((error: unknown) => error);
  assert.equal(await room.store.statFile(toPlace(row, 'f1')), row.size);
  assert.equal((await readRow(room, row.id)).status, 'completed');
  assert.deepEqual((again as { id?: string }).id, file.id);
});

test('what was being verified when the server stopped is finished at the next start', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
  await moveSession(room.db, row.id, 'complete', 2000, { file_id: 'f1' });
  await resumeVerifying(room);
  assert.equal((await readRow(room, row.id)).status, 'completed');
  assert.equal(await room.store.statFile(toPlace(row, 'f1')), row.size);
});
