/** Parts that go to the object storage, and those that go through the server after all. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { beforeEach, test } from 'node:test';
import { SourceError } from '../failures.ts';
import { failure, lost, reply } from '../test-server.ts';
import { assertStored, BYTES, replaceSource, reset, resumeStore, server, source } from '../upload/test-upload.ts';
import type { Notice } from '../upload/upload-options.ts';
import { Uploader } from '../upload/uploader.ts';
import { TestBucket } from './test-bucket.ts';

const PARTS = 6;

let bucket: TestBucket;
let notices: Notice[];

beforeEach(() => {
  reset();
  bucket = new TestBucket(server);
  notices = [];
});

function createUploader(): Uploader {
  const options = { server: 'http://test', transport: server, resumeStore, getToken: async () => 'token', parallel: 2 };
  return new Uploader({ ...options, openStorage: () => bucket });
}

async function upload(uploader = createUploader()): Promise<void> {
  await uploader.upload(source, { onNotice: (notice) => notices.push(notice) });
  assertStored();
}

/** @param status of the first answers of the bucket, then it answers as usual. */
function answerFirst(...statuses: number[]): void {
  bucket.tamper = (_request, answer) => {
    const status = statuses.shift();
    return status === undefined ? answer() : { status, headers: {}, body: new Uint8Array() };
  };
}

const putsToServer = () => server.calls.filter((call) => call.startsWith('PUT')).length;
const reasons = () => notices.map((notice) => (notice.kind === 'through_server' ? notice.reason : notice.kind));

test('direct: parts go to the object storage, are signed just before, and confirmed together', async () => {
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, notices], [0, PARTS, []]);
  assert.equal(
    bucket.signed.reduce((sum, count) => sum + count, 0),
    PARTS,
  );
  assert.equal(
    bucket.confirmed.reduce((sum, count) => sum + count, 0),
    PARTS,
  );
  assert.ok(bucket.confirmed.length < PARTS, `${bucket.confirmed.length} requests`);
});

// Invariant 7
test('direct: bytes count when they are confirmed', async () => {
  let confirmed = 0;
  bucket.tamperCall = (request, answer) => {
    const answered = answer();
    if (request.path.endsWith('/confirm')) confirmed = server.upload.parts.size;
    return answered;
  };
  await createUploader().upload(source, {
    onProgress: ({ stored }) => assert.ok(stored.size <= confirmed, `${stored.size} of ${confirmed}`),
  });
  assert.equal(confirmed, PARTS);
});

test('direct: a URL that is refused is signed again', async () => {
  answerFirst(403);
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, notices], [0, PARTS + 1, []]);
  assert.equal(
    bucket.signed.reduce((sum, count) => sum + count, 0),
    PARTS + 1,
  );
});

test('direct: a busy storage, and one that got other bytes, is sent the part again', async () => {
  answerFirst(503, 500, 429, 400);
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, notices], [0, PARTS + 4, []]);
});

test('direct: without any connection, all parts go through the server, which the client says once', async () => {
  bucket.tamper = () => lost();
  const uploader = createUploader();
  await upload(uploader);
  assert.ok(bucket.putCount <= 2, `${bucket.putCount} attempts`);
  assert.deepEqual([putsToServer(), reasons()], [PARTS, ['no connection (ECONNRESET)']]);
  // The next file does not try it again.
  const before = bucket.putCount;
  server.uploads.length = 0;
  await upload(uploader);
  assert.equal(bucket.putCount, before);
});

test('direct: a connection that is lost later is tried again', async () => {
  let count = 0;
  bucket.tamper = (_request, answer) => (++count === 3 ? lost() : answer());
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, notices], [0, PARTS + 1, []]);
});

test('direct: a storage that stays busy, refuses, or hides its ETag is replaced by the server', async () => {
  const always =
    (status: number, headers = {}) =>
    () => ({ status, headers, body: new Uint8Array() });
  for (const [tamper, reason] of [
    [always(503), /answers 503/],
    [always(403), /answers 403/],
    [always(501), /answers 501/],
    [always(405), /answers 405/],
    [always(200), /no ETag/],
  ] as const) {
    reset();
    bucket = new TestBucket(server);
    notices = [];
    bucket.tamper = tamper;
    await upload();
    assert.deepEqual([putsToServer(), notices.length], [PARTS, 1]);
    assert.match(reasons()[0] ?? '', reason);
  }
});

test('direct: a part that the server does not find goes through it', async () => {
  let isFirst = true;
  bucket.tamper = (_request, answer) => {
    const answered = answer();
    if (isFirst) bucket.parts.delete(0);
    isFirst = false;
    return answered;
  };
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, notices], [1, PARTS, []]);
});

test('direct: parts that the server has, or wants itself, are not sent to the storage', async () => {
  bucket.tamperCall = (request, answer) => {
    if (!request.path.endsWith('/sign')) return answer();
    const { urls, ...rest } = JSON.parse(Buffer.from(answer().body).toString());
    return reply(200, { ...rest, urls: urls.map((url: object) => ({ ...url, direct: false })) });
  };
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, notices], [PARTS, 0, []]);
});

test('direct: a server that signs nothing gets the parts, and its reason is told', async () => {
  bucket.tamperCall = () => failure('forbidden');
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, reasons()], [PARTS, 0, ['it is forbidden']]);
});

test('direct: a part that is stored with other bytes belongs to another file', async () => {
  bucket.tamperCall = (request, answer) => {
    if (!request.path.endsWith('/confirm') || server.uploads.length > 1) return answer();
    const { parts, ...rest } = JSON.parse(Buffer.from(answer().body).toString());
    const other = parts.map((part: object) => ({ ...part, outcome: 'conflict', sha256: '0'.repeat(64) }));
    return reply(200, { ...rest, parts: other });
  };
  await upload();
  assert.deepEqual([reasons(), server.uploads.length], [['other_file'], 2]);
});

test('direct: a file that cannot be read ends the upload', async () => {
  const unreadable = new SourceError('source_unreadable', 'it cannot be read', 'try again');
  bucket.tamper = () => {
    throw unreadable;
  };
  await assert.rejects(createUploader().upload(source), unreadable);
});

test('direct: a paused upload goes on with what was confirmed', async () => {
  const controller = new AbortController();
  bucket.tamperCall = (request, answer) => {
    const answered = answer();
    if (request.path.endsWith('/confirm')) controller.abort(new Error('paused'));
    return answered;
  };
  let count = 0;
  bucket.tamper = async ({ signal }, answer) => {
    if (++count > 3) await once(signal as AbortSignal, 'abort');
    return answer();
  };
  await assert.rejects(createUploader().upload(source, { signal: controller.signal }), /paused/);
  const kept = server.upload.parts.size;
  assert.ok(kept > 0 && kept < PARTS, `${kept} parts`);
  bucket.tamper = bucket.tamperCall = (_request, answer) => answer();
  bucket.putCount = 0;
  await upload();
  assert.equal(bucket.putCount, PARTS - kept);
  assert.equal(BYTES.length, server.upload.request.size);
});

test('direct: a file of one part goes through the server', async () => {
  replaceSource(Buffer.from(BYTES.subarray(0, 600)));
  await upload();
  assert.deepEqual([putsToServer(), bucket.putCount, bucket.signed], [1, 0, []]);
});
