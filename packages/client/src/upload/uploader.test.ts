import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, mock, test } from 'node:test';
import fc from 'fast-check';
import { ForeignReplyError, ServerError, SourceError } from '../failures.ts';
import type { WireRequest } from '../ports.ts';
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
  uploadSome,
} from './test-upload.ts';
import type { Progress } from './upload-options.ts';

beforeEach(reset);

test('sends each part once, reads it once, and forgets the upload at the end', async () => {
  const seen: Progress[] = [];
  const file = await upload({ onProgress: (progress) => seen.push(progress) });
  assert.equal(file.sha256, digest(BYTES).toString('hex'));
  assertStored();
  assert.equal(server.putCount, 6);
  assert.deepEqual(source.reads.toSorted(), [0, 1000, 2000, 3000, 4000]);
  assert.equal(resumeStore.records.size, 0);
  assert.deepEqual([...new Set(seen.map(({ state }) => state))], ['planning', 'sending', 'done']);
  assert.equal(seen.at(-1)?.storedBytes, BYTES.length);
});

test('token: an upload that is aborted while it waits for one ends at once', async () => {
  const pause = new AbortController();
  const asked = Promise.withResolvers<void>();
  const uploader = createUploader(() => {
    asked.resolve();
    // Nobody ever signs in.
    return new Promise<string>(() => {});
  });
  const uploading = uploader.upload(source, { signal: pause.signal });
  await asked.promise;
  pause.abort(new Error('paused'));
  await assert.rejects(uploading, /^Error: paused$/);
  assert.equal(server.uploads.length, 0);
});

test('has as many parts in flight as asked for, and no more', async () => {
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

test('progress counts acknowledged bytes only', async () => {
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

test('a lost reply to a stored part leads to asking, not to sending it again', async () => {
  once('PUT 2', (_request, answer) => {
    answer();
    lost();
  });
  const states: string[] = [];
  await upload({ onProgress: ({ state }) => states.push(state) });
  assertStored();
  assert.equal(server.putCount, 6);
  assert.ok(states.includes('reconciling'));
});

test('a part that was lost on its way is sent again, after 100 Continue', async () => {
  const sent: WireRequest[] = [];
  let broken = false;
  server.tamper = (request, answer) => {
    if (!request.path.endsWith('/part/2')) return answer();
    sent.push(request);
    if (broken) return answer();
    broken = true;
    return lost();
  };
  await upload();
  assertStored();
  assert.deepEqual(
    sent.map(({ expectContinue }) => expectContinue),
    [false, true],
  );
  assert.equal(source.reads.filter((offset) => offset === 2000).length, 1);
});

test('a part that the server took for another one is asked for, and sent again', async () => {
  once('PUT 2', (_request, answer) => {
    const receipt = JSON.parse(Buffer.from(answer().body).toString()) as object;
    server.upload.parts.delete(2);
    return reply(201, { ...receipt, part: 3 });
  });
  await upload();
  assertStored();
});

test('an answer that is damaged is none', async () => {
  for (const call of ['POST init', 'PUT 2', 'GET u0', 'POST complete']) {
    reset();
    let lostOne = false;
    once(call, (_request, answer) => {
      const text = Buffer.from(answer().body).toString();
      return { status: 200, headers: {}, body: Buffer.from(text.replace(/"(?=(missing|sha|part|file))/g, '"x')) };
    });
    if (call === 'GET u0') {
      const damage = server.tamper;
      server.tamper = (request, answer) => {
        if (server.calls.at(-1) !== 'PUT 3' || lostOne) return damage(request, answer);
        lostOne = true;
        return lost();
      };
    }
    await upload();
    assertStored();
  }
});

test('a file that changes while it is sent is not completed', async () => {
  once('PUT 5', (_request, answer) => {
    source.modifiedNowMs += 1;
    return answer();
  });
  await assert.rejects(upload(), isChanged);
  assert.equal(server.calls.includes('POST complete'), false);
});

test('a part that somebody else stored with other bytes is a conflict, also when the reply was lost', async () => {
  once('PUT 3', () => {
    server.upload.parts.set(3, randomBytes(PART_BYTES));
    return lost();
  });
  await upload();
  // The upload is left to whoever sends to it; this file has one of its own.
  assert.deepEqual(
    server.uploads.map(({ status }) => status),
    ['uploading', 'completed'],
  );
  assertStored();
});

test('a token that has expired is renewed, and the part goes on', async () => {
  const renewals: boolean[] = [];
  once('PUT 2', () => failure('token_expired'));
  await createUploader(async (renew) => {
    renewals.push(renew);
    return 'token';
  }).upload(source);
  assertStored();
  assert.equal(renewals.filter(Boolean).length, 1);
});

test('a token that stays expired ends the run at once', async () => {
  server.tamper = (request, answer) => (request.method === 'PUT' ? failure('token_expired') : answer());
  await assert.rejects(upload(), (error) => error instanceof ServerError && error.code === 'token_expired');
  assert.equal(resumeStore.records.size, 1);
});

test('what can pass is waited out, and said', async () => {
  once('PUT 2', () => failure('overloaded'));
  const troubles = new Set<string | null>();
  let retries = 0;
  await upload({
    onProgress(progress) {
      troubles.add(progress.lastError);
      retries = progress.retries;
    },
  });
  assertStored();
  assert.deepEqual([...troubles], [null, 'it is overloaded']);
  assert.equal(retries, 1);
});

test('what cannot pass ends the run, and what else is in flight', async () => {
  const hanging = Promise.withResolvers<never>();
  const started = Promise.withResolvers<void>();
  server.tamper = async (request, answer) => {
    if (request.method !== 'PUT') return answer();
    if (request.path.endsWith('/0')) {
      request.signal?.addEventListener('abort', () => hanging.reject(new Error('given up')));
      started.resolve();
      return await hanging.promise;
    }
    await started.promise;
    return failure('upload_closed');
  };
  const states: string[] = [];
  const run = upload({ onProgress: ({ state }) => states.push(state) });
  await assert.rejects(run, (error) => error instanceof ServerError && error.code === 'upload_closed');
  assert.equal(states.at(-1), 'failed');
});

test('a part that arrives damaged again and again is given up', async () => {
  server.tamper = (request, answer) => (request.method === 'PUT' ? failure('part_checksum_mismatch') : answer());
  await assert.rejects(upload(), (error) => error instanceof ServerError && error.code === 'part_checksum_mismatch');
});

test('parts that the server took back are sent again', async () => {
  once('POST complete', (_request, answer) => {
    server.upload.parts.delete(1);
    server.upload.parts.delete(4);
    return answer();
  });
  await upload();
  assertStored();
  assert.equal(server.putCount, 8);
});

test('waits as long as the server verifies, as it says', async () => {
  const waitsMs: number[] = [];
  let left = 2;
  server.tamper = (_request, answer) => {
    if (server.calls.at(-1) !== 'POST complete' || left-- === 0) return answer();
    return reply(202, {}, { 'retry-after': '7' });
  };
  mock.method(globalThis, 'setTimeout', (done: () => void, ms: number) => {
    waitsMs.push(ms);
    queueMicrotask(done);
  });
  await upload();
  assert.deepEqual(waitsMs, [7000, 7000]);
});

test('a file that was published with other bytes is not taken for done', async () => {
  once('POST complete', (_request, answer) => {
    const record = JSON.parse(Buffer.from(answer().body).toString()) as object;
    return reply(200, { ...record, parts_sha256: '0'.repeat(64) });
  });
  await assert.rejects(upload(), (error) => error instanceof SourceError && error.code === 'integrity');
});

test('upload: a server that asks for the same parts again and again is given up', async () => {
  server.tamper = (_request, answer) => {
    if (server.calls.at(-1) !== 'POST complete') return answer();
    if (server.calls.length > 1000) throw new Error('there is no end');
    server.upload.parts.delete(3);
    return answer();
  };
  await assert.rejects(upload(), (error) => error instanceof ServerError && error.code === 'upload_incomplete');
  assert.ok(server.calls.includes('PUT 3'));
});

test('upload: a stored part that the file does not have is not believed', async () => {
  await uploadSome(2);
  server.tamper = (_request, answer) => {
    const answered = answer();
    if (server.calls.at(-1) !== 'GET parts') return answered;
    const page = JSON.parse(Buffer.from(answered.body).toString());
    page.items[1].part = 6;
    return { ...answered, body: Buffer.from(JSON.stringify(page)) };
  };
  await assert.rejects(upload(), ForeignReplyError);
});

test('upload: a record without what is printed of it is no answer', async () => {
  for (const field of ['owner', 'warnings', 'metadata', 'created_at']) {
    reset();
    server.tamper = (_request, answer) => {
      const answered = answer();
      if (server.calls.at(-1) !== 'POST complete') return answered;
      const { [field]: _, ...record } = JSON.parse(Buffer.from(answered.body).toString());
      return { ...answered, body: Buffer.from(JSON.stringify(record)) };
    };
    await assert.rejects(upload(), ForeignReplyError, field);
  }
});

test('an interrupted upload is paused, keeps its record, and throws the reason', async () => {
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

test('what is published can be written down before the upload is forgotten', async () => {
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

test('an empty file is published too', async () => {
  replaceSource(new Uint8Array());
  assert.equal((await upload()).size, 0);
});

test('property: whatever is lost on the way, the right file arrives, and no stored part is sent again in full', async () => {
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
