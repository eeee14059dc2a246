/** Every upload reaches an end from every state, also with missing bytes, and its space is freed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { UploadRow } from '../db/tables.ts';
import { moveUploadRow } from '../db/uploads/uploads.ts';
import { completeUpload } from '../uploads/completion.ts';
import {
  bytesOf,
  insertUpload,
  makeUploads,
  readRow,
  restartUploads,
  sendPart,
  type TestUploads,
} from '../uploads/test-uploads.ts';
import { toPlace, toStaged } from '../uploads/upload-record.ts';
import { sweep } from './sweep.ts';
import { verifyUploads } from './verification.ts';

const STATES: Record<string, (context: TestUploads, row: UploadRow) => Promise<unknown>> = {
  pending: async () => {},
  uploading: (context, row) => sendParts(context, row, Math.min(4, row.part_count)),
  verifying: (context, row) => beginVerifying(context, row),
  'verifying after a power loss': async (context, row) => {
    await beginVerifying(context, row);
    await context.db.updateTable('uploads').set({ must_recheck: 1 }).execute();
  },
  'verifying with a row of a part missing': async (context, row) => {
    await beginVerifying(context, row);
    await context.db.deleteFrom('parts').where('idx', '=', 3).execute();
  },
  'cut off after the rename': async (context, row) => {
    const verifying = await beginVerifying(context, row);
    await context.storage.uploads.publish(toStaged(verifying), toPlace(verifying, fileIdOf(row)));
  },
  failed: async (context, row) => {
    await sendParts(context, row, row.part_count);
    await moveUploadRow(context.db, row.id, 'fail', 2000, {
      failure: '{"code":"invalid_mrc","message":"","request_id":""}',
    });
  },
};

/** Faults of the stored bytes. */
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
      // Invariant 6
      test(`sweep: an upload that is ${state}, its bytes ${when}: ${mishap}: it ends and frees its space`, async (t) => {
        let context = await makeUploads(t);
        const rows = [await insertUpload(context), await insertUpload(context, { size: 0, part_count: 0 })];
        for (const row of rows) await bring(context, row);
        if (restarts) context = await restartUploads(t, context);
        for (const row of rows) {
          const published = join(context.folder, 'files', fileIdOf(row), row.filename);
          await happen(state === 'cut off after the rename' ? published : context.stagedPath(row.id));
        }
        if (restarts) await verifyUploads(context);
        for (const row of rows) await assertEnds(context, row);
      });
    }
  }
}

/** The housekeeping of the server. */
async function housekeep(context: TestUploads): Promise<void> {
  await sweep(context);
  await verifyUploads(context);
}

/** Only housekeeping without requests, over time. */
async function assertEnds(context: TestUploads, row: UploadRow): Promise<void> {
  const isOver = async () => ['completed', 'cancelled', 'expired'].includes((await readRow(context, row.id)).status);
  for (let round = 0; !(await isOver()); round++) {
    assert.ok(round < 12, `still ${(await readRow(context, row.id)).status}`);
    context.clock.nowMs += context.policy.uploadTtlMs;
    await housekeep(context);
  }
  await housekeep(context);
  assert.equal((await readdir(join(context.folder, 'staging'))).includes(row.id), false);
  const isPublished = (await readdir(join(context.folder, 'files'))).includes(fileIdOf(row));
  assert.equal(isPublished, (await readRow(context, row.id)).status === 'completed');
  if (!isPublished) return;
  const bytes = await readFile(join(context.folder, 'files', fileIdOf(row), row.filename));
  assert.ok(bytes.equals(wholeOf(row)), 'what was published is what was sent');
}

test('sweep: an upload whose verification fails repeatedly is ended, logged, and reported to its owner', async (t) => {
  const context = await makeUploads(t);
  const errors: string[] = [];
  Object.assign(context.log, { error: (_fields: unknown, message: string) => errors.push(message) });
  const row = await insertUpload(context);
  await beginVerifying(context, row);
  const path = context.stagedPath(row.id);
  await rm(path);
  await symlink(path, path);
  // It has time left: the disk may come back.
  for (let round = 0; round < 5; round++) await housekeep(context);
  assert.equal((await readRow(context, row.id)).status, 'verifying');
  // The clock may have jumped.
  Object.assign(context.clock, { nowMs: row.expires_at, isSettled: false });
  await housekeep(context);
  assert.equal((await readRow(context, row.id)).status, 'verifying');
  context.clock.isSettled = true;
  await housekeep(context);
  const ended = await readRow(context, row.id);
  assert.equal(ended.status, 'failed');
  assert.match(String(ended.failure), /"code":"upload_expired".*could not be verified before it expired/);
  assert.ok(errors.includes('an upload whose verification failed repeatedly was ended'));
});

test('sweep: an upload that expired during a stop is not ended at the first failure', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  await beginVerifying(context, row);
  const path = context.stagedPath(row.id);
  await rename(path, join(context.folder, 'away'));
  await symlink(path, path);
  context.clock.nowMs = row.expires_at + 1;
  await housekeep(context);
  await rm(path);
  await rename(join(context.folder, 'away'), path);
  await housekeep(context);
  assert.equal((await readRow(context, row.id)).status, 'completed');
});

test('sweep: an empty upload is completed without its staging file', async (t) => {
  const context = await makeUploads(t);
  for (const mishap of ['removed', 'longer than it was']) {
    const row = await insertUpload(context, { size: 0, part_count: 0 });
    await MISHAPS[mishap]?.(context.stagedPath(row.id));
    const done = await completeUpload(context, { owner: 'ada' }, row.id, undefined, 'r');
    assert.ok(done.kind === 'completed');
    assert.deepEqual(Buffer.from(done.file.sha256 ?? []), createHash('sha256').digest());
    assert.equal(await context.storage.files.stat(toPlace(row, done.file.id)), 0);
  }
});

function fileIdOf({ id }: UploadRow): string {
  return `file-of-${id}`;
}

function wholeOf(row: UploadRow): Buffer {
  return Buffer.concat(Array.from({ length: row.part_count }, (_, idx) => bytesOf(row, idx)));
}

async function sendParts(context: TestUploads, row: UploadRow, end: number): Promise<void> {
  for (let idx = 0; idx < end; idx++) await sendPart(context, row, idx);
}

async function beginVerifying(context: TestUploads, row: UploadRow): Promise<UploadRow> {
  await sendParts(context, row, row.part_count);
  const verifying = await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: fileIdOf(row) });
  assert.ok(verifying);
  return verifying;
}
