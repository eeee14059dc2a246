/** What the server says of a file that is to be skipped, moved or deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from '@cryolift/client';
import { confirm } from './owner.ts';

const SHA256 = 'a'.repeat(64);
const RECORD = {
  file_id: 'f1',
  owner: 'ada',
  filename: 'a.mrc',
  size: 10,
  sha256: SHA256,
  parts_sha256: 'b'.repeat(64),
  created_at: '2026-11-29T10:00:00.000Z',
  metadata: {},
  warnings: [],
};
const KNOWN = { file_id: 'f1', sha256: SHA256, upload_id: 'u1' };

/** @param changes of the record that the server has. */
async function confirmed(changes: Partial<typeof RECORD> | { sha256: null }): Promise<string> {
  const body = new TextEncoder().encode(JSON.stringify({ ...RECORD, ...changes }));
  const api = new Api({ send: async () => ({ status: 200, headers: {}, body, from: 'test' }) }, async () => 'token');
  return (await confirm(api, 'ada', KNOWN, new AbortController().signal)).kind;
}

// Invariant 2
test('owner: a file is there when it has the owner and the bytes that are known', async () => {
  assert.equal(await confirmed({}), 'there');
  assert.equal(await confirmed({ sha256: null }), 'there', 'the server has not read it yet');
  assert.equal(await confirmed({ owner: 'bob' }), 'gone', 'an administrator may read the files of others');
  assert.equal(await confirmed({ sha256: 'c'.repeat(64) }), 'gone');
  assert.equal(await confirmed({ file_id: 'f2' }), 'gone');
});
