import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { copyFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFolder } from '../../db/test-rows.ts';
import { BytesGone } from '../errors.ts';
import type { StagedUpload } from '../places.ts';
import { explained, SYSTEM_CALLS } from './file-system.ts';
import { Flusher } from './flusher.ts';
import { StagedFiles } from './staging-files.ts';

const fresh: StagedUpload = {
  id: 'u',
  filename: 'a.bin',
  ref: null,
  sizeBytes: 100,
  partSizeBytes: 100,
  empty: true,
};
const started: StagedUpload = { ...fresh, empty: false };

async function makeFiles(t: TestContext) {
  const folder = await makeFolder(t);
  const lost: string[] = [];
  const flusher = new Flusher((uploadId) => void lost.push(uploadId));
  const files = new StagedFiles(explained(SYSTEM_CALLS), flusher, (uploadId) => join(folder, uploadId));
  t.after(() => files.closeAll());
  return { files, flusher, lost, path: join(folder, 'u') };
}

test('staging files: a file that was replaced while it was closed is not written to', async (t) => {
  const { files, path } = await makeFiles(t);
  (await files.use(fresh)).release();
  await files.close('u', 'keep');
  (await files.use(started)).release();
  await files.close('u', 'keep');
  await copyFile(path, `${path}.copy`);
  await rename(`${path}.copy`, path);
  await assert.rejects(files.use(started), BytesGone);
  // Also by a part whose request came before any other was recorded.
  await assert.rejects(files.use(fresh), BytesGone);
  files.forget('u');
  (await files.use(started)).release();
});

test('staging files: a missing, truncated or too long file is not written to, open or not', async (t) => {
  const { files, path } = await makeFiles(t);
  await assert.rejects(files.use(started), BytesGone);
  (await files.use(fresh)).release();
  for (const sizeBytes of [50, 200]) {
    await truncate(path, sizeBytes);
    await assert.rejects(files.use(started), BytesGone);
    await files.close('u', 'keep');
    await assert.rejects(files.use(started), BytesGone);
  }
});

test('staging files: an idle file is flushed before it is closed, and a failure is reported', async (t) => {
  const { files, flusher, lost } = await makeFiles(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fd, release } = await files.use(fresh);
  flusher.noteWritten('u', fd, 1);
  release();
  // A flush of it fails.
  closeSync(fd);
  t.mock.timers.tick(10_000);
  await files.close('u', 'keep');
  assert.deepEqual(lost, ['u']);
});

test('staging files: a discarded file is closed without a flush', async (t) => {
  const { files, flusher, lost } = await makeFiles(t);
  const { fd, release } = await files.use(fresh);
  flusher.noteWritten('u', fd, 1);
  release();
  closeSync(fd);
  await files.close('u', 'drop');
  assert.deepEqual(lost, []);
});
