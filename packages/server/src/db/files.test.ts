import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { listFileIds } from './files.ts';
import type { FileRow } from './tables.ts';
import { testDatabases } from './test-databases.ts';

function draftFile(at: number): FileRow {
  const id = `file-${String(at).padStart(6, '0')}`;
  const digest = new Uint8Array(32);
  const plan = { size: 1, part_size: 1, part_count: 1, sha256: digest, parts_sha256: digest };
  const texts = { content_type: 'a/b', metadata: '{}', mrc: null, warnings: '[]', statistics: null };
  // Every third is being deleted.
  const times = { created_at: 1, deleted_at: at % 3 === 0 ? 2 : null };
  return { id, upload_id: `of-${id}`, owner: 'ada', filename: 'a.mrc', ...plan, ...texts, ...times };
}

testDatabases('files: all ids are read in batches, and other work runs in between', async (db) => {
  const count = 9_000;
  const rows = Array.from({ length: count }, (_, at) => draftFile(at));
  await db.transaction().execute(async (tx) => {
    while (rows.length > 0) await tx.insertInto('files').values(rows.splice(0, 500)).execute();
  });
  let isRead = false;
  const reading = listFileIds(db).finally(() => {
    isRead = true;
  });
  let queue = 0;
  for (; !isRead; queue++) await setImmediate();
  assert.equal((await reading).size, count);
  assert.ok(queue > 4, `${queue} queue`);
});
