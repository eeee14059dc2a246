import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireRequest } from '../ports.ts';
import { reply } from '../test-server.ts';
import { Api } from './api.ts';
import { copyFile, findKnownFiles } from './copies.ts';

const SHA256 = 'ab'.repeat(32);
const UPLOAD = {
  ...{ upload_id: 'u1', status: 'verifying', filename: 'a.mrc', missing_parts: [] },
  ...{ size: 1, part_size: 1, part_count: 1, received_parts: 1, received_bytes: 1 },
};
const FILE = {
  ...{ file_id: 'f2', owner: 'ada', filename: 'a.mrc', created_at: '2026-11-30T00:00:00.000Z' },
  ...{ size: 1, sha256: SHA256, parts_sha256: SHA256, metadata: {}, warnings: [] },
};

function readBody({ body }: WireRequest): { files: { sha256: string; size: number }[] } {
  return JSON.parse(new TextDecoder().decode(body as Uint8Array));
}

test('known files: up to 1,000 are asked about with each call', async () => {
  const asked: number[] = [];
  const send = async (request: WireRequest) => {
    assert.equal(`${request.method} ${request.path}`, 'POST /files/have');
    const { files } = readBody(request);
    asked.push(files.length);
    return reply(200, { items: files.slice(0, 1).map((file) => ({ ...file, file_id: `f${file.size}` })) });
  };
  const api = new Api({ send }, async () => 'token');
  const files = Array.from({ length: 2500 }, (_, size) => ({ sha256: SHA256, size, path: 'not sent' }));
  const known = await findKnownFiles(api, files);
  assert.deepEqual(asked, [1000, 1000, 500]);
  assert.deepEqual(
    known.map(({ file_id }) => file_id),
    ['f0', 'f1000', 'f2000'],
  );
  assert.deepEqual(await findKnownFiles(api, []), []);
  const damaged = new Api({ send: async () => reply(200, { items: [{ sha256: 'x', size: 1 }] }) }, async () => 'token');
  await assert.rejects(findKnownFiles(damaged, files), { name: 'ForeignReplyError' });
});

test('copies: one that takes longer is waited for', async () => {
  const calls: string[] = [];
  const send = async ({ method, path }: WireRequest) => {
    calls.push(`${method} ${path}`);
    if (path === '/files/f1/copy') return reply(202, UPLOAD);
    const isDone = calls.length > 2;
    return isDone ? reply(200, FILE) : { ...reply(202, UPLOAD), headers: { 'retry-after': '0' } };
  };
  const file = await copyFile(new Api({ send }, async () => 'token'), 'f1', { filename: 'a.mrc' });
  assert.equal(file.file_id, 'f2');
  assert.deepEqual(calls, ['POST /files/f1/copy', 'POST /uploads/u1/complete', 'POST /uploads/u1/complete']);
});
