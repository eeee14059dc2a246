/** An upload from its plan to the published file, its progress and its interruption. */
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import fc from 'fast-check';
import { digest, failure, lost, PART_BYTES, reply } from '../test-server.ts';
import {
  assertStored,
  BYTES,
  createUploader,
  isChanged,
  once,
  replaceSource,
  reset,
  resumeStore,
  server,
  source,
  upload,
} from './test-upload.ts';
import type { Progress } from './upload-options.ts';

beforeEach(reset);

test('upload: sends each part once, reads it once, and forgets the upload at the end', async () => {
  const reports: Progress[] = [];
  const file = await upload({ onProgress: (progress) => reports.push(progress) });
  assert.equal(file.sha256, digest(BYTES).toString('hex'));
  assertStored();
  assert.equal(server.putCount, 6);
  assert.deepEqual(source.reads.toSorted(), [0, 1000, 2000, 3000, 4000]);
  assert.equal(resumeStore.records.size, 0);
  assert.deepEqual([...new Set(reports.map(({ state }) => state))], ['planning', 'sending', 'done']);
  assert.equal(reports.at(-1)?.storedBytes, BYTES.length);
});

test('upload: an empty file is published', async () => {
  replaceSource(new Uint8Array());
  assert.equal((await upload()).size, 0);
});

test('upload: has as many parts in flight as requested, and no more', async () => {
  const full = Promise.withResolvers<void>();
  let inFlight = 0;
  let most = 0;
  server.tamper = async (request, answer) => {
    if (request.method !== 'PUT') return answer();
    most = Math.max(most, ++inFlight);
    if (inFlight === 3) full.resolve();
    await full.promise;
    inFlight--;
    return answer();
  };
  await createUploader(undefined, 3).upload(source);
  assert.equal(most, 3);
});

test('progress: counts acknowledged bytes only', async () => {
  server.tamper = async (_request, answer) => {
    const stored = server.uploads.at(0)?.parts.size ?? 0;
    const answered = answer();
    assert.ok(reported <= stored * PART_BYTES, `${reported} of ${stored} parts`);
    return answered;
  };
  let reported = 0;
  const onProgress = (progress: Progress) => {
    reported = progress.storedBytes;
  };
  await createUploader(undefined, 1).upload(source, { onProgress });
  assert.equal(reported, BYTES.length);
});

test('upload: onPublished is awaited before the record of the upload is removed', async () => {
  let resumeRecord = 0;
  const published: string[] = [];
  await upload({
    async onPublished({ file_id }) {
      await new Promise(setImmediate);
      resumeRecord = resumeStore.records.size;
      published.push(file_id);
    },
  });
  assert.equal(resumeRecord, 1);
  assert.deepEqual(published, ['f-u0']);
});

test('upload: a file that changes while it is sent is not completed', async () => {
  once('PUT 5', (_request, answer) => {
    source.modifiedNowMs += 1;
    return answer();
  });
  await assert.rejects(upload(), isChanged);
  assert.equal(server.calls.includes('POST complete'), false);
});

test('upload: waits as long as the server asks while it verifies', async () => {
  const waitsMs: number[] = [];
  let left = 2;
  server.tamper = (_request, answer) => {
    if (server.calls.at(-1) !== 'POST complete') return answer();
    // Those of parts.
    if (left === 2) waitsMs.length = 0;
    if (left-- === 0) return answer();
    return reply(202, {}, { 'retry-after': '7' });
  };
  mock.method(globalThis, 'setTimeout', (done: () => void, ms: number) => {
    waitsMs.push(ms);
    queueMicrotask(done);
  });
  await upload();
  assert.deepEqual(waitsMs, [7000, 7000]);
});

test('upload: an interrupted upload is paused, keeps its record, and throws the reason', async () => {
  const controller = new AbortController();
  const states: string[] = [];
  once('PUT 2', () => {
    controller.abort(new Error('Ctrl-C'));
    return lost();
  });
  const run = upload({ signal: controller.signal, onProgress: ({ state }) => states.push(state) });
  await assert.rejects(run, /Ctrl-C/);
  assert.equal(states.at(-1), 'paused');
  assert.equal(resumeStore.records.size, 1);
});

test('token: an upload that is aborted while it waits for a token ends at once', async () => {
  const pause = new AbortController();
  const asked = Promise.withResolvers<void>();
  const uploader = createUploader(() => {
    asked.resolve();
    // The token never arrives.
    return new Promise<string>(() => {});
  });
  const uploading = uploader.upload(source, { signal: pause.signal });
  await asked.promise;
  pause.abort(new Error('paused'));
  await assert.rejects(uploading, /^Error: paused$/);
  assert.equal(server.uploads.length, 0);
});

test('uploader: property: with any losses the correct file arrives, and no stored part is sent again in full', async () => {
  const fault = fc.constantFrom('none', 'none', 'before', 'after', 'overloaded', 'damaged');
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 25 }), fc.integer({ min: 1, max: 4 }), async (faults, parallel) => {
      reset();
      const left = faults.slice();
      const whole = new Set<string>();
      server.tamper = async (request, answer) => {
        await new Promise(setImmediate);
        const next = left.shift() ?? 'none';
        const stored = request.method === 'PUT' && server.upload.parts.has(Number(request.path.split('/').at(-1)));
        if (stored && !request.expectContinue) whole.add(request.path);
        if (next === 'before') lost();
        if (next === 'overloaded') return failure('overloaded');
        if (next === 'damaged' && request.method === 'PUT') return failure('part_checksum_mismatch');
        const answered = answer();
        if (next === 'after') lost();
        return answered;
      };
      await createUploader(undefined, parallel).upload(source);
      assertStored();
      assert.equal(server.uploads.length, 1);
      assert.deepEqual([...whole], []);
    }),
    { numRuns: 60 },
  );
});
