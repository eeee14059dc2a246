/** Every upload reaches an end, from every state, whatever is missing on the disk; and what it held is freed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { moveSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { completeUpload } from '../uploads/completion.ts';
import {
  bytesOf,
  makeRoom,
  openSession,
  readRow,
  restartRoom,
  sendPart,
  type TestRoom,
} from '../uploads/test-uploads.ts';
import { toPlace, toStaged } from '../uploads/upload-record.ts';
import { sweep } from './sweep.ts';
import { verifyUploads } from './verification.ts';

const STATES: Record<string, (room: TestRoom, row: UploadRow) => Promise<unknown>> = {
  pending: async () => {},
  uploading: (room, row) => sendParts(room, row, Math.min(4, row.part_count)),
  verifying: (room, row) => beginVerifying(room, row),
  'verifying after a power loss': async (room, row) => {
    await beginVerifying(room, row);
    await room.db.updateTable('uploads').set({ must_recheck: 1 }).execute();
  },
  'verifying with a row of a part missing': async (room, row) => {
    await beginVerifying(room, row);
    await room.db.deleteFrom('parts').where('idx', '=', 3).execute();
  },
  'cut off after the rename': async (room, row) => {
    const verifying = await beginVerifying(room, row);
    await room.store.publish(toStaged(verifying), toPlace(verifying, fileIdOf(row)));
  },
  failed: async (room, row) => {
    await sendParts(room, row, row.part_count);
    await moveSession(room.db, row.id, 'fail', 2000, {
      failure: '{"code":"invalid_mrc","message":"","request_id":""}',
    });
  },
};

/** What happens to where the bytes are. */
const MISHAPS: Record<string, (path: string) => Promise<unknown>> = {
  nothing: async () => {},
  removed: (path) => rm(path, { force: true }),
  emptied: (path) => truncate(path, 0),
  'longer than it was': (path) => truncate(path, 2000),
  'other bytes': (path) => writeFile(path, Buffer.alloc(950, 99)),
  'replaced by a folder': async (path) => {
    await rm(path, { force: true });
    await mkdir(path);
  },
  'replaced by a folder with something in it': async (path) => {
    await rm(path, { force: true });
    await mkdir(path);
    await writeFile(join(path, 'something'), 'x');
  },
  'replaced by a loop of links, which cannot be read': async (path) => {
    await rm(path, { force: true });
    await symlink(path, path);
  },
  'removed with their folder': async (path) => {
    await rm(dirname(path), { recursive: true });
    await mkdir(dirname(path));
  },
};

for (const [state, bring] of Object.entries(STATES)) {
  for (const [mishap, happen] of Object.entries(MISHAPS)) {
    for (const restarts of [false, true]) {
      // In the file that it has written, a process trusts what it has written, until the digest of the whole differs.
      if (mishap === 'other bytes' && !restarts) continue;
      const when = restarts ? 'between two processes' : 'under the server';
      test(`an upload that is ${state}, its bytes ${when}: ${mishap}: it ends and holds nothing`, async (context) => {
        let room = await makeRoom(context);
        const rows = [await openSession(room), await openSession(room, { size: 0, part_count: 0 })];
        for (const row of rows) await bring(room, row);
        if (restarts) room = await restartRoom(context, room);
        for (const row of rows) {
          const published = join(room.folder, 'files', fileIdOf(row), row.filename);
          await happen(state === 'cut off after the rename' ? published : room.stagedPath(row.id));
        }
        if (restarts) await verifyUploads(room);
        for (const row of rows) await assertEnds(room, row);
      });
    }
  }
}

/** What the server does from time to time. */
async function housekeep(room: TestRoom): Promise<void> {
  await sweep(room);
  await verifyUploads(room);
}

/** The rounds alone, with no client that asks, and time that goes by. */
async function assertEnds(room: TestRoom, row: UploadRow): Promise<void> {
  const isOver = async () => ['completed', 'cancelled', 'expired'].includes((await readRow(room, row.id)).status);
  for (let round = 0; !(await isOver()); round++) {
    assert.ok(round < 12, `still ${(await readRow(room, row.id)).status}`);
    room.clock.nowMs += room.policy.sessionTtlMs;
    await housekeep(room);
  }
  await housekeep(room);
  assert.equal((await readdir(join(room.folder, 'staging'))).includes(row.id), false);
  const isPublished = (await readdir(join(room.folder, 'files'))).includes(fileIdOf(row));
  assert.equal(isPublished, (await readRow(room, row.id)).status === 'completed');
  if (!isPublished) return;
  const bytes = await readFile(join(room.folder, 'files', fileIdOf(row), row.filename));
  assert.ok(bytes.equals(wholeOf(row)), 'what was published is what was sent');
}

test('a stuck upload is logged when it is ended, and its owner is told why', async (context) => {
  const room = await makeRoom(context);
  const errors: string[] = [];
  Object.assign(room.log, { error: (_fields: unknown, message: string) => errors.push(message) });
  const row = await openSession(room);
  await beginVerifying(room, row);
  const path = room.stagedPath(row.id);
  await rm(path);
  await symlink(path, path);
  // It has time left: the disk may come back.
  for (let round = 0; round < 5; round++) await housekeep(room);
  assert.equal((await readRow(room, row.id)).status, 'verifying');
  // The clock may have jumped.
  Object.assign(room.clock, { nowMs: row.expires_at, isSettled: false });
  await housekeep(room);
  assert.equal((await readRow(room, row.id)).status, 'verifying');
  room.clock.isSettled = true;
  await housekeep(room);
  const ended = await readRow(room, row.id);
  assert.equal(ended.status, 'failed');
  assert.match(String(ended.failure), /"code":"upload_expired".*could not be verified before its time was over/);
  assert.ok(errors.includes('an upload that was stuck in verification has been ended'));
});

test('an upload whose time was over when the server stopped is not ended at the first failure', async (context) => {
  const room = await makeRoom(context);
  const row = await openSession(room);
  await beginVerifying(room, row);
  const path = room.stagedPath(row.id);
  await rename(path, join(room.folder, 'away'));
  await symlink(path, path);
  room.clock.nowMs = row.expires_at + 1;
  await housekeep(room);
  await rm(path);
  await rename(join(room.folder, 'away'), path);
  await housekeep(room);
  assert.equal((await readRow(room, row.id)).status, 'completed');
});

test('an empty upload is completed, whatever became of its staging file', async (context) => {
  const room = await makeRoom(context);
  for (const mishap of ['removed', 'longer than it was']) {
    const row = await openSession(room, { size: 0, part_count: 0 });
    await MISHAPS[mishap]?.(room.stagedPath(row.id));
    const done = await completeUpload(room, { owner: 'ada' }, row.id, undefined, 'r');
    assert.ok(done.kind === 'completed');
    assert.deepEqual(Buffer.from(done.file.sha256), createHash('sha256').digest());
    assert.equal(await room.store.statFile(toPlace(row, done.file.id)), 0);
  }
});

function fileIdOf({ id }: UploadRow): string {
  return `file-of-${id}`;
}

function wholeOf(row: UploadRow): Buffer {
  return Buffer.concat(Array.from({ length: row.part_count }, (_, idx) => bytesOf(row, idx)));
}

async function sendParts(room: TestRoom, row: UploadRow, end: number): Promise<void> {
  for (let idx = 0; idx < end; idx++) await sendPart(room, row, idx);
}

async function beginVerifying(room: TestRoom, row: UploadRow): Promise<UploadRow> {
  await sendParts(room, row, row.part_count);
  const verifying = await moveSession(room.db, row.id, 'complete', 2000, { file_id: fileIdOf(row) });
  assert.ok(verifying);
  return verifying;
}
