import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadError } from '@cryolift/protocol/errors';
import { insertFile } from '../db/files.ts';
import { changeMetadata } from '../files/metadata.ts';
import { UpdateLimit } from '../files/update-limit.ts';
import { openUpload } from './creation.ts';
import { makeUploads } from './test-uploads.ts';

const isRateLimited = (error: UploadError) => error.code === 'rate_limited';

test('metadata: a burst of changes, then two a second, for each account', () => {
  let nowMs = 0;
  const limit = new UpdateLimit(() => nowMs);
  const isRefused = (error: UploadError) => error.code === 'rate_limited' && error.retryAfterSeconds === 1;
  for (let at = 0; at < 10_000; at++) limit.take('ada');
  assert.throws(() => limit.take('ada'), isRefused);
  limit.take('bob');
  nowMs = 499;
  assert.throws(() => limit.take('ada'), isRefused);
  nowMs = 1_000;
  limit.take('ada');
  limit.take('ada');
  assert.throws(() => limit.take('ada'), isRefused);
});

test('metadata: an account above the limit cannot change files or uploads', async (t) => {
  const context = await makeUploads(t);
  const init = (metadata: Record<string, string>, owner = 'ada') =>
    openUpload(context, owner, { filename: 'a.bin', size: 100, fingerprint: 'f', metadata }, null);
  const { row } = await init({ a: '1' });
  const file = {
    ...{ id: 'f1', upload_id: row.id, owner: 'ada', filename: 'a.bin', size: 1, part_size: 1, part_count: 1 },
    ...{ sha256: new Uint8Array(32), parts_sha256: new Uint8Array(32), content_type: 'text/plain', metadata: '{}' },
    ...{
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
      created_at: 1,
      deleted_at: null,
    },
  };
  await insertFile(context.db, file);
  await changeMetadata(context, 'f1', { a: '1' }, 'ada');
  /** A slow machine takes so long for a change that another one is allowed. */
  const useUp = () => assert.throws(() => Array.from({ length: 20_000 }, () => context.updateLimit.take('ada')));
  useUp();
  await assert.rejects(changeMetadata(context, 'f1', { a: '2' }, 'ada'), isRateLimited);
  useUp();
  await assert.rejects(init({ a: '2' }), isRateLimited);
  const again = await init({ a: '1' });
  assert.deepEqual([again.row.id, again.row.metadata], [row.id, '{"a":"1"}']);
  assert.equal((await init({ a: '2' }, 'bob')).resumed, false);
});
