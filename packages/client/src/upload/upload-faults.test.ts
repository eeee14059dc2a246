/** An upload through lost replies, refusals and wrong answers. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { ForeignReplyError, ServerError, SourceError } from '../failures.ts';
import type { WireRequest } from '../ports.ts';
import { failure, lost, PART_BYTES, reply } from '../test-server.ts';
import {
  assertStored,
  createUploader,
  once,
  reset,
  resumeStore,
  server,
  source,
  upload,
  uploadSome,
} from './test-upload.ts';

beforeEach(reset);

test('upload: after a lost reply to a stored part, the part is looked up and not sent again', async () => {
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

test('upload: a part that was lost on its way is sent again, after 100 Continue', async () => {
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

test('upload: a part that the server stored under another index is looked up, and sent again', async () => {
  once('PUT 2', (_request, answer) => {
    const receipt = JSON.parse(Buffer.from(answer().body).toString()) as object;
    server.upload.parts.delete(2);
    return reply(201, { ...receipt, part: 3 });
  });
  await upload();
  assertStored();
  assert.equal(server.calls.filter((call) => call === 'POST complete').length, 1, 'it was known before');
});

test('upload: a damaged answer counts as no answer', async () => {
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

test('upload: a part that another client stored with other bytes is a conflict, also when the reply was lost', async () => {
  once('PUT 3', () => {
    server.upload.parts.set(3, randomBytes(PART_BYTES));
    return lost();
  });
  await upload();
  // The upload is left to the other client; this file gets its own.
  assert.deepEqual(
    server.uploads.map(({ status }) => status),
    ['uploading', 'completed'],
  );
  assertStored();
});

test('token: an expired token is renewed, and the part is sent', async () => {
  const renewals: boolean[] = [];
  once('PUT 2', () => failure('token_expired'));
  await createUploader(async (renew) => {
    renewals.push(renew);
    return 'token';
  }).upload(source);
  assertStored();
  assert.equal(renewals.filter(Boolean).length, 1);
});

test('token: one that stays expired ends the upload at once', async () => {
  server.tamper = (request, answer) => (request.method === 'PUT' ? failure('token_expired') : answer());
  await assert.rejects(upload(), (error) => error instanceof ServerError && error.code === 'token_expired');
  assert.equal(resumeStore.records.size, 1);
});

test('upload: a temporary error is retried, and reported', async () => {
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

test('upload: a permanent error ends the upload and its other requests', async () => {
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

test('upload: a part that arrives damaged again and again is given up', async () => {
  server.tamper = (request, answer) => (request.method === 'PUT' ? failure('part_checksum_mismatch') : answer());
  await assert.rejects(upload(), (error) => error instanceof ServerError && error.code === 'part_checksum_mismatch');
});

test('upload: parts that the server invalidated are sent again', async () => {
  once('POST complete', (_request, answer) => {
    server.upload.parts.delete(1);
    server.upload.parts.delete(4);
    return answer();
  });
  await upload();
  assertStored();
  assert.equal(server.putCount, 8);
});

test('upload: a file that was published with other bytes is an error', async () => {
  once('POST complete', (_request, answer) => {
    const record = JSON.parse(Buffer.from(answer().body).toString()) as object;
    return reply(200, { ...record, parts_sha256: '0'.repeat(64) });
  });
  await assert.rejects(upload(), (error) => error instanceof SourceError && error.code === 'integrity');
});

test('uploader: ends when the server requests the same parts repeatedly', async () => {
  server.tamper = (_request, answer) => {
    if (server.calls.at(-1) !== 'POST complete') return answer();
    if (server.calls.length > 1000) throw new Error('it does not end');
    server.upload.parts.delete(3);
    return answer();
  };
  await assert.rejects(upload(), (error) => error instanceof ServerError && error.code === 'upload_incomplete');
  assert.ok(server.calls.includes('PUT 3'));
});

test('uploader: a listed part that does not exist is refused', async () => {
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

test('upload: a record that lacks a required field is a foreign reply', async () => {
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

test('upload: a part that crawls at the end is taken over by another connection', async () => {
  const attempts: WireRequest[] = [];
  server.tamper = (request, answer) => {
    if (!request.path.endsWith('/part/5')) return answer();
    attempts.push(request);
    if (attempts.length > 1) return answer();
    request.onSent?.(1);
    // Never answered.
    return new Promise((_resolve, reject) => request.signal?.addEventListener('abort', reject));
  };
  await upload();
  assertStored();
  assert.equal(attempts.length, 2);
  assert.equal(server.putCount, 7);
  // It is no failure: the parts that the server has are not asked for.
  assert.equal(server.calls.filter((call) => call === `GET ${server.upload.id}`).length, 0);
});
