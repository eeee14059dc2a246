import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRow } from '../db/tables.ts';
import { Leases } from '../leases/leases.ts';
import { makeUploads, type TestUploads } from '../uploads/test-uploads.ts';
import { Scrub } from './scrub.ts';

const ROW = {
  owner: 'ada',
  filename: 'a.bin',
  size: 1,
  sha256: new Uint8Array(32),
  parts_sha256: new Uint8Array(32),
  part_size: 1,
  part_count: 1,
  content_type: 'application/octet-stream',
  metadata: '{}',
  mrc: null,
  warnings: '[]',
  statistics: null,
  tiff: null,
  mdoc: null,
  mdoc_image: null,
  copied_from: null,
  compressed_size: null,
  compressed_sha256: null,
  fault: null,
  dataset_id: null,
  link_id: null,
  instrument: null,
  created_at: 1000,
  deleted_at: null,
};
const COUNT = 150;

function draftRows(count: number): FileRow[] {
  return Array.from({ length: count }, (_, idx) => {
    const id = `file-${String(idx).padStart(3, '0')}`;
    return { ...ROW, id, upload_id: `of-${id}` };
  });
}

async function ended(scrub: Scrub) {
  while ((await scrub.report()).status === 'running') await new Promise((resolve) => setTimeout(resolve, 10));
  return await scrub.report();
}

test('scrub: stops when the storage cannot be read, and the next start resumes it', async (t) => {
  const context = await makeUploads(t);
  await context.db.insertInto('files').values(draftRows(COUNT)).execute();
  const files = join(context.folder, 'files');
  await rename(files, `${files}.away`);
  await symlink(files, files);

  const scrub = new Scrub(context, null);
  await scrub.begin(1e9);
  const broken = await ended(scrub);
  assert.deepEqual([broken.status, broken.unreadable, broken.checked_files], ['failed', 100, 100]);
  assert.notEqual(broken.ended_at, null);
  const types = await context.db.selectFrom('events').select('type').distinct().execute();
  assert.deepEqual(
    types.map(({ type }) => type),
    ['cryolift.file.unreadable'],
  );

  await rm(files);
  await rename(`${files}.away`, files);
  const next = new Scrub(context, null);
  await next.resume();
  const whole = await ended(next);
  assert.deepEqual([whole.status, whole.unreadable, whole.missing], ['done', 100, COUNT - 100]);
});

// Invariant 12
test('scrub: a file of the same size with other bytes is damaged, and one without bytes is missing', async (t) => {
  const context = await makeUploads(t);
  const [good, bad, gone] = draftRows(3) as [FileRow, FileRow, FileRow];
  const sha256 = new Uint8Array(createHash('sha256').update('a').digest());
  await context.db
    .insertInto('files')
    .values([good, bad, gone].map((row) => ({ ...row, sha256 })))
    .execute();
  for (const [row, bytes] of [
    [good, 'a'],
    [bad, 'b'],
  ] as const) {
    await mkdir(join(context.folder, 'files', row.id));
    await writeFile(join(context.folder, 'files', row.id, 'a.bin'), bytes);
  }
  const scrub = new Scrub(context, null);
  await scrub.begin(1e9);
  const { status, ok, faults } = await ended(scrub);
  assert.deepEqual([status, ok], ['done', 1]);
  assert.deepEqual(
    faults.map(({ file_id, fault }) => [file_id, fault]),
    [
      [bad.id, 'damaged'],
      [gone.id, 'missing'],
    ],
  );
});

/** Two servers on one database. */
function openTwo(t: TestContext, context: TestUploads, renewMs = 100, pollMs = 20): [Scrub, Scrub] {
  const open = () => {
    const times = { ttlMs: 60_000, renewMs, pollMs };
    const leases = new Leases(context.db, context.newId, { warn() {} }, times);
    const scrub = new Scrub(context, leases);
    t.after(async () => {
      await scrub.stop();
      await leases.stop();
    });
    return scrub;
  };
  return [open(), open()];
}

/** A scrub that has read some of many files, and goes on reading. */
async function beginSlow(context: TestUploads, scrub: Scrub): Promise<void> {
  for (const row of draftRows(COUNT)) {
    await context.db.insertInto('files').values(row).execute();
    await mkdir(join(context.folder, 'files', row.id), { recursive: true });
    await writeFile(join(context.folder, 'files', row.id, row.filename), 'x');
  }
  // Of files of one byte: 10 each second.
  await scrub.begin(10);
  while ((await scrub.report()).checked_files < 3) await sleep(10);
}

test('scrub: another server joins the running one, and stops it', async (t) => {
  const context = await makeUploads(t);
  const [one, two] = openTwo(t, context);
  await beginSlow(context, one);
  const [mine, joined] = [await one.report(), await two.begin(1e9)];
  assert.deepEqual([joined.status, joined.started_at], ['running', mine.started_at]);
  assert.equal(joined.bytes_per_second, 10);
  await two.resume();
  assert.equal((await two.cancel()).status, 'stopped');
  assert.equal((await one.report()).status, 'stopped');
});

test('scrub: after the death of its server another one goes on where it was', async (t) => {
  const context = await makeUploads(t);
  const [one, two] = openTwo(t, context);
  await beginSlow(context, one);
  // What it has kept.
  while (((await two.report()).checked_files ?? 0) < 3) await sleep(50);
  await context.db.updateTable('leases').set({ expires_at: 0, holder: 'dead' }).execute();
  await two.resume();
  const resumed = await two.report();
  assert.equal(resumed.status, 'running');
  assert.ok(resumed.checked_files >= 3);
  // The first was only thought to be dead: it keeps nothing any more.
  await one.stop();
  assert.equal((await two.cancel()).status, 'stopped');
  assert.equal((await one.report()).status, 'stopped');
});

test('scrub: a server that learns by its own write that another one has taken over does not report a failure', async (t) => {
  const context = await makeUploads(t);
  // No lease is renewed or looked at, so that nothing else says it.
  const [one, two] = openTwo(t, context, 1e6, 1e6);
  await beginSlow(context, one);
  while (((await two.report()).checked_files ?? 0) < 3) await sleep(50);
  await context.db.updateTable('leases').set({ expires_at: 0, holder: 'dead' }).execute();
  await two.resume();
  // Both go on until the first one keeps what it has done.
  while ((await two.report()).status === 'running') await sleep(50);
  while ((await one.report()).status === 'running') await sleep(50);
  assert.equal((await one.report()).status, 'done');
});
