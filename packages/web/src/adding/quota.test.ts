import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '@cryolift/protocol/messages';
import { freeQuotaOf, isScarce, quotaOf, usedShare } from './quota.ts';

const limits = (fields: Partial<Limits>) => fields as Limits;

test('quota: a server that says nothing, or sets no limit, has none', () => {
  assert.equal(quotaOf(undefined), null);
  assert.equal(quotaOf(limits({})), null);
  assert.equal(quotaOf(limits({ used_bytes: 5, used_files: 1, quota_bytes: null, quota_files: null })), null);
});

test('quota: of bytes and files, the one that is used more counts', () => {
  const quota = quotaOf(limits({ used_bytes: 50, quota_bytes: 100, used_files: 9, quota_files: 10 }));
  assert.ok(quota);
  assert.equal(usedShare(quota), 0.9);
  assert.equal(isScarce(quota), true);
  assert.equal(isScarce({ ...quota, usedFiles: 8 }), false);
  assert.equal(usedShare({ ...quota, usedBytes: 500 }), 1);
});

test('quota: what waits on this page takes some of the quota, and there is never less than none', () => {
  const quota = { usedBytes: 50, maxBytes: 100, usedFiles: 2, maxFiles: null };
  assert.deepEqual(freeQuotaOf(quota, { bytes: 20, files: 1 }), { bytes: 30, files: null });
  assert.deepEqual(freeQuotaOf(quota, { bytes: 200, files: 1 }), { bytes: 0, files: null });
  assert.deepEqual(freeQuotaOf(null, { bytes: 200, files: 1 }), { bytes: null, files: null });
});
