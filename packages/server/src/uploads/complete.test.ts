import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { UploadError } from '@cryolift/protocol/errors';
import { moveSession } from '../db/sessions.ts';
import { completeUpload, resumeVerifying } from './complete.ts';
import { toPlace } from './session.ts';
import { bytesOf, makeRoom, openSession, readRow, sendPart } from './test-room.ts';

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

test('complete: a digest that is declared while it looks at the upload is kept, and another one refused', async (context) => {
  const room = await makeRoom(context);
  const wrong = createHash('sha256').update('other bytes').digest();
  for (const [declared, code] of [
    [undefined, 'file_checksum_mismatch'],
    ['ab'.repeat(32), 'invalid_request'],
  ] as const) {
    const row = await openSession(room);
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
    // As a resuming init does it, between the look and the change.
    const newId = () => {
      void room.db.updateTable('uploads').set({ sha256: wrong }).where('id', '=', row.id).execute();
      return room.newId();
    };
    await assert.rejects(
      completeUpload({ ...room, newId }, { owner: row.owner }, row.id, declared, 'r'),
      (error: UploadError) => error.code === code,
    );
    assert.deepEqual(Buffer.from((await readRow(room, row.id)).sha256 ?? []), wrong);
  }
});

test('complete: a file that was verified without a digest is not given for another one', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  const hash = createHash('sha256');
  for (let idx = 0; idx < row.part_count; idx++) {
    await sendPart(room, row, idx);
    hash.update(bytesOf(row, idx));
  }
  const complete = (sha256?: string) => completeUpload(room, { owner: row.owner }, row.id, sha256, 'r');
  const published = await complete();
  await assert.rejects(complete('ab'.repeat(32)), (error: UploadError) => error.code === 'file_checksum_mismatch');
  const again = await complete(hash.digest('hex'));
  assert.ok(again.kind === 'completed' && published.kind === 'completed');
  assert.equal(again.file.id, published.file.id);
});
