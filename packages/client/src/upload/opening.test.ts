import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ForeignReplyError } from '../failures.ts';
import { failure, lost, PART_BYTES, reply } from '../test-server.ts';
import {
  assertStored,
  BYTES,
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
import type { Progress } from './upload-options.ts';

beforeEach(reset);

test('opening: a lost reply to init leads to the same upload, also in another run with other options', async () => {
  once('POST init', (_request, answer) => {
    answer();
    lost();
  });
  const controller = new AbortController();
  const stop = ({ lastError }: Progress) => void (lastError && controller.abort(new Error('killed')));
  await assert.rejects(upload({ signal: controller.signal, onProgress: stop }), /killed/);
  await upload({ metadata: { grid: 'G7' } });
  assertStored();
  assert.equal(server.uploads.length, 1);
});

// Invariant 4
test('opening: an init that is repeated has the same idempotency key', async () => {
  const keys: string[] = [];
  server.tamper = (request, answer) => {
    if (server.calls.at(-1) !== 'POST init') return answer();
    keys.push(request.headers['idempotency-key'] ?? '');
    return keys.length === 1 ? lost() : answer();
  };
  await upload();
  const [first, second] = keys;
  assert.deepEqual([keys.length, second], [2, first]);
  assert.ok(first);
});

test('opening: a resumed upload sends only the missing parts', async () => {
  await uploadSome(4);
  const reports: Progress[] = [];
  await upload({ onProgress: (progress) => reports.push(progress), force: true });
  assertStored();
  assert.equal(server.putCount, 2);
  assert.equal(reports.at(-1)?.resumedBytes, 4 * PART_BYTES);
  assert.equal(reports.at(-1)?.storedBytes, BYTES.length);
});

test('opening: another machine without a resume record resumes by the fingerprint', async () => {
  await uploadSome(4);
  resumeStore.records.clear();
  await upload();
  assertStored();
  assert.equal(server.putCount, 2);
});

test('opening: an upload that was completed with a lost answer is not sent again', async () => {
  once('POST complete', (_request, answer) => {
    answer();
    lost();
  });
  const controller = new AbortController();
  const stop = ({ lastError }: Progress) => void (lastError && controller.abort(new Error('killed')));
  await assert.rejects(upload({ signal: controller.signal, onProgress: stop }), /killed/);
  const sent = server.putCount;
  assert.equal((await upload()).file_id, 'f-u0');
  assert.equal(server.putCount, sent);
  assert.equal(resumeStore.records.size, 0);
});

test('opening: a completed upload whose file was deleted is sent again', async () => {
  await uploadSome(4);
  server.upload.status = 'completed';
  once('POST complete', () => failure('file_not_found'));
  await upload();
  assertStored();
  assert.equal(server.uploads.length, 2);
});

test('opening: an upload that has ended on the server is not resumed', async () => {
  await uploadSome(4);
  server.upload.status = 'expired';
  await upload();
  assertStored();
  assert.equal(server.uploads.length, 2);
});

test('opening: a file with another time is refused, and --restart starts again', async () => {
  await uploadSome(4);
  replaceSource(Buffer.from(BYTES), source.modifiedMs + 1000);
  await assert.rejects(upload(), isChanged);
  assert.equal(server.putCount, 0);
  await upload({ restart: true });
  assertStored();
  assert.deepEqual(
    server.uploads.map(({ status }) => status),
    ['cancelled', 'completed'],
  );
});

test('opening: a file of the same size and time with another edge is refused before any request', async () => {
  await uploadSome(1);
  source.bytes[5499] = (source.bytes[5499] as number) ^ 1;
  await assert.rejects(upload(), isChanged);
  assert.equal(server.calls.includes('GET parts'), false);
});

test('opening: equal files at different paths of a folder have separate uploads', async () => {
  await uploadSome(2);
  resumeStore.records.clear();
  await upload({ metadata: { path: 'b/tomo.mrc' } });
  assert.equal(server.uploads.length, 2);
  assert.equal(server.uploads[0]?.parts.size, 2);
});

test('opening: --restart cancels an upload that only the fingerprint finds', async () => {
  await uploadSome(4);
  resumeStore.records.clear();
  await upload({ restart: true });
  assert.deepEqual(
    server.uploads.map(({ status }) => status),
    ['cancelled', 'completed'],
  );
});

test('opening: an upload with another size or name is cancelled and started again', async () => {
  for (const damage of [{ size: 5400 }, { filename: 'tomp.mrc' }, { upload_id: 'u9' }]) {
    reset();
    once('POST init', (_request, answer) => {
      const upload = JSON.parse(Buffer.from(answer().body).toString()) as object;
      return reply(201, { ...upload, size: 5400, ...damage });
    });
    await upload();
    assertStored();
  }
});

test('opening: fails when the server starts only uploads for other files', async () => {
  server.tamper = (request, answer) => {
    const answered = answer();
    if (request.path !== '/uploads/init') return answered;
    return reply(201, { ...(JSON.parse(Buffer.from(answered.body).toString()) as object), size: 1 });
  };
  await assert.rejects(upload(), (error) => error instanceof ForeignReplyError);
});

test('opening: ranges beyond the listed ones are requested', async () => {
  await uploadSome(1);
  server.upload.parts.set(2, Buffer.from(BYTES.subarray(2000, 3000)));
  server.maxRanges = 2;
  await upload();
  assertStored();
  assert.equal(server.putCount, 4);
});

test('opening: fails when the server has one upload for all files', {
  timeout: 60_000,
}, async () => {
  await uploadSome(4);
  resumeStore.records.clear();
  const inner = Buffer.from(BYTES);
  inner[1500] = (inner[1500] as number) ^ 1;
  replaceSource(inner);
  let inits = 0;
  let first: Uint8Array | undefined;
  server.tamper = (request, answer) => {
    if (request.path !== '/uploads/init') return answer();
    if (++inits > 100) throw new Error('it does not end');
    const answered = answer();
    const upload = JSON.parse(Buffer.from(first ?? answered.body).toString()) as object;
    first ??= answered.body;
    return reply(200, { ...upload, upload_id: 'u0', resumed: true });
  };
  await assert.rejects(upload(), (error) => error instanceof ForeignReplyError);
});
