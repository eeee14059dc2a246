import assert from 'node:assert/strict';
import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileRow } from '../db/tables.ts';
import { makeUploads } from '../uploads/test-uploads.ts';
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
  created_at: 1000,
  deleted_at: null,
};
const COUNT = 150;

async function ended(scrub: Scrub) {
  while (scrub.report().status === 'running') await new Promise((resolve) => setTimeout(resolve, 10));
  return scrub.report();
}

test('scrub: stops when the storage cannot be read, and the next start resumes it', async (t) => {
  const context = await makeUploads(t);
  const rows = Array.from({ length: COUNT }, (_, idx): FileRow => {
    const id = `file-${String(idx).padStart(3, '0')}`;
    return { ...ROW, id, upload_id: `of-${id}` };
  });
  await context.db.insertInto('files').values(rows).execute();
  const files = join(context.folder, 'files');
  await rename(files, `${files}.away`);
  await symlink(files, files);

  const scrub = new Scrub(context);
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
  const next = new Scrub(context);
  await next.resume();
  const whole = await ended(next);
  assert.deepEqual([whole.status, whole.unreadable, whole.missing], ['done', 100, COUNT - 100]);
});
