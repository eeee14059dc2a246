import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorEnvelope } from '@cryolift/protocol/errors';
import { UploadError } from '@cryolift/protocol/errors';
import fastify from 'fastify';
import type { Metrics } from '../ops/metrics.ts';
import { createFailureHandler } from './errors.ts';

/** @returns the answer to a request whose handler throws, and the codes that were counted. */
async function answerTo(error: Error) {
  const noted: string[] = [];
  const app = fastify();
  app.setErrorHandler(createFailureHandler({ noteError: (code: string) => void noted.push(code) } as Metrics));
  app.post('/', async () => {
    throw error;
  });
  const { statusCode, headers, body } = await app.inject({ method: 'POST', url: '/' });
  await app.close();
  return { status: statusCode, headers, envelope: JSON.parse(body) as ErrorEnvelope, noted };
}

// Invariant 10
test('failures: an unexpected error is internal, may be repeated, and does not say what it was', async () => {
  const { status, envelope, noted } = await answerTo(new Error('secret'));
  assert.deepEqual([status, envelope.code, envelope.retryable, noted], [500, 'internal', true, ['internal']]);
  assert.ok(!JSON.stringify(envelope).includes('secret'));
});

test('failures: an error of the table is answered as it is, with the time to wait', async () => {
  const { status, headers, envelope } = await answerTo(
    new UploadError('overloaded', 'Busy.', { retryAfterSeconds: 7 }),
  );
  assert.deepEqual(
    [status, envelope.code, envelope.message, headers['retry-after']],
    [503, 'overloaded', 'Busy.', '7'],
  );
  const { headers: others } = await answerTo(new UploadError('insufficient_storage', 'Full.'));
  assert.equal(others['retry-after'], '60');
});

test('failures: an error of Fastify is a wrong request', async () => {
  const wrong = Object.assign(new Error('too odd'), { code: 'FST_ERR_ODD', statusCode: 400 });
  assert.equal((await answerTo(wrong)).envelope.code, 'invalid_request');
});

test('failures: an error of WebCrypto or of the system is internal, whatever its code is', async () => {
  // An empty key makes one whose code is a number.
  for (const error of [new DOMException('no key', 'DataError'), Object.assign(new Error(), { code: 'EMFILE' })]) {
    const { status, envelope } = await answerTo(error);
    assert.deepEqual([status, envelope.code], [500, 'internal']);
  }
});
