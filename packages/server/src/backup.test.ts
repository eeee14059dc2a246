import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { backUp } from './backup.ts';
import { openSqliteFile } from './db/open.ts';
import { makeFolder } from './db/test-rows.ts';

test('backup: files of the audit that are removed meanwhile do not affect others', async (t) => {
  const folder = await makeFolder(t);
  const audit = join(folder, 'data', 'audit');
  await mkdir(audit, { recursive: true });
  const db = await openSqliteFile(join(folder, 'data', 'cryolift.sqlite'));
  t.after(() => db.destroy());
  const names = Array.from({ length: 2_000 }, (_, at) => `2026-11_${String(at + 1).padStart(4, '0')}.jsonl`);
  await Promise.all(names.map((name) => writeFile(join(audit, name), name)));
  const removed = names.filter((_, at) => at % 2 === 0);
  const backingUp = backUp({ CRYOLIFT_DATA_DIR: join(folder, 'data') }, {}, join(folder, 'target'));
  let isDone = false;
  const done = backingUp.finally(() => {
    isDone = true;
  });
  const copy = join(folder, 'target', 'audit');
  // From the moment on at which files are copied.
  while (!isDone && (await readdir(copy).catch(() => [])).length === 0);
  for (const name of removed.toReversed()) await rm(join(audit, name));
  await done;
  for (const name of names.filter((_, at) => at % 2 === 1)) {
    assert.equal(await readFile(join(copy, name), 'utf8'), name);
  }
});
