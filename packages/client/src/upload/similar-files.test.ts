/** Files with the same fingerprint: their parts are never mixed, and parts on the server are compared with the file. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { digest, failure, lost, PART_BYTES, TestSource } from '../test-server.ts';
import {
  assertStored,
  createUploader,
  isChanged,
  once,
  replaceSource,
  reset,
  resumeStore,
  server,
  source,
  upload,
  uploadSome,
} from './test-upload.ts';
import type { Notice } from './upload-options.ts';

/** Larger than the edges in the fingerprint: 64 KiB at each end. */
const PARTS = 150;
/** Not in the edges. */
const INNER = 70;

let twin: Buffer;

beforeEach(() => {
  reset();
  const bytes = randomBytes(PARTS * PART_BYTES);
  twin = Buffer.from(bytes);
  twin[INNER * PART_BYTES] = (twin[INNER * PART_BYTES] as number) ^ 1;
  replaceSource(bytes);
});

function digestOf(bytes: Uint8Array): string {
  return digest(bytes).toString('hex');
}

test('similar files: a file with the fingerprint of an interrupted upload gets its own upload, and the other is kept', async () => {
  await uploadSome(INNER + 5);
  const first = server.upload;
  resumeStore.records.clear();
  replaceSource(twin, undefined, 'inode 2');
  const notices: Notice[] = [];
  const file = await upload({ onNotice: (notice) => notices.push(notice) });
  assert.equal(file.sha256, digestOf(twin));
  assert.deepEqual(notices, [{ kind: 'other_file', uploadId: first.id, part: INNER }]);
  assert.deepEqual([first.status, first.parts.size], ['uploading', INNER + 5]);
  assertStored();
});

test('similar files: a replaced file that differs only in its bytes gets its own upload', async () => {
  await uploadSome(INNER + 5);
  replaceSource(twin, undefined, 'inode 2');
  assert.equal((await upload()).sha256, digestOf(twin));
  assert.equal(server.uploads.length, 2);
});

test('similar files: a file that was changed in place with its time set back does not keep old parts', async () => {
  await uploadSome(INNER + 5);
  // With the same identity, as on a system without identities, parts are compared during the upload.
  replaceSource(twin);
  assert.equal((await upload()).sha256, digestOf(twin));
});

test('similar files: nothing is sent to an upload that may belong to another file', async () => {
  await uploadSome(INNER + 5);
  const first = server.upload;
  resumeStore.records.clear();
  replaceSource(twin, undefined, 'inode 2');
  server.tamper = (request, answer) => {
    if (request.method === 'PUT') assert.ok(!request.path.startsWith(`/uploads/${first.id}/`), request.path);
    return answer();
  };
  await upload();
});

test('similar files: every part of an earlier run is read before the file is done', async () => {
  await uploadSome(PARTS - 1);
  server.calls.length = 0;
  source.reads.length = 0;
  await upload();
  assertStored();
  assert.equal(server.putCount, 1);
  assert.equal(new Set(source.reads).size, PARTS);
});

test('similar files: an upload that was completed with a lost answer is compared completely', async () => {
  once('POST complete', (_request, answer) => {
    answer();
    lost();
  });
  const controller = new AbortController();
  await assert.rejects(
    upload({
      signal: controller.signal,
      onProgress: ({ lastError }) => lastError && controller.abort(new Error('killed')),
    }),
    /killed/,
  );
  replaceSource(twin, undefined, 'inode 2');
  assert.equal((await upload()).sha256, digestOf(twin));
  assert.equal(server.uploads.length, 2);
});

test('similar files: two files with one fingerprint, sent at the same time, have separate uploads', async () => {
  const uploader = createUploader(undefined, 4);
  const other = Object.assign(new TestSource(twin, undefined, 'inode 2'), { location: '/data/other/tomo.mrc' });
  const files = await Promise.all([uploader.upload(source), uploader.upload(other)]);
  assert.deepEqual(
    files.map(({ sha256 }) => sha256),
    [digestOf(source.bytes), digestOf(twin)],
  );
  assert.equal(new Set(files.map(({ file_id }) => file_id)).size, 2);
});

test('similar files: the upload of the second file is found without a resume record', async () => {
  await uploadSome(INNER + 5);
  const first = server.upload;
  const bytes = Buffer.from(source.bytes);
  replaceSource(twin, undefined, 'inode 2');
  await uploadSome(INNER + 6);
  const second = server.upload;
  resumeStore.records.clear();
  await upload();
  assert.deepEqual([server.uploads.length, second.status], [2, 'completed']);
  replaceSource(bytes);
  await upload();
  assert.deepEqual([server.uploads.length, first.status], [2, 'completed']);
});

test('similar files: a conflict with an unchanged file means that the upload belongs to another file', async () => {
  once('PUT 3', () => failure('part_conflict'));
  const file = await upload();
  assert.equal(file.sha256, digestOf(source.bytes));
  assert.equal(server.uploads.length, 2);
});

test('similar files: a file that was touched during the upload is read again, and refused when its bytes changed', async () => {
  once('PUT 149', (_request, answer) => {
    source.identityNow = 'inode 1, renamed';
    return answer();
  });
  await upload();
  assertStored();
  reset();
  replaceSource(Buffer.from(twin));
  once('PUT 149', (_request, answer) => {
    source.identityNow = 'inode 1, written to';
    source.bytes[PART_BYTES] = (source.bytes[PART_BYTES] as number) ^ 1;
    return answer();
  });
  await assert.rejects(upload(), isChanged);
  assert.ok(!server.calls.includes('POST complete'));
});

test('similar files: a paused upload that resumes with the same source reads no part twice', async () => {
  const uploader = createUploader(undefined, 1);
  const controller = new AbortController();
  once('PUT 80', () => {
    controller.abort(new Error('paused'));
    return lost();
  });
  await assert.rejects(uploader.upload(source, { signal: controller.signal }), /paused/);
  const before = new Set(source.reads);
  source.reads.length = 0;
  await uploader.upload(source);
  assertStored();
  // Parts that were read and did not arrive are read again.
  assert.ok(source.reads.filter((offset) => before.has(offset)).length <= 2);
});

test('similar files: metadata is changed, and reported, only for an upload of this file', async () => {
  await uploadSome(INNER + 5);
  const first = server.upload;
  first.metadata.session = 'A';
  const bytes = Buffer.from(source.bytes);
  replaceSource(twin, undefined, 'inode 2');
  await upload({ metadata: { session: 'B' } });
  assert.deepEqual(first.metadata, { session: 'A' });
  replaceSource(bytes);
  const notices: Notice[] = [];
  await upload({ metadata: { session: 'B' }, onNotice: (notice) => notices.push(notice) });
  assert.deepEqual(first.metadata, { session: 'B' });
  assert.deepEqual(notices, [{ kind: 'metadata_changed', before: { session: 'A' }, now: { session: 'B' } }]);
});
