import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, ERRORS, type ErrorCode, UploadError } from '@cryolift/protocol/errors';
import { fastify } from 'fastify';
import { sendFailure } from './failures.ts';

async function answerTo(method: 'HEAD' | 'PATCH', code: ErrorCode, details?: Record<string, unknown>) {
  const app = fastify();
  app.route({ method, url: '/', handler: () => {} });
  app.addHook('onRequest', async (request, reply) => {
    sendFailure(new UploadError(code, 'a test', details ? { details } : {}), request, reply);
    return reply;
  });
  return await app.inject({ method, url: '/' });
}

test('tus failures: HEAD is never answered with a status after which a client begins again, when it can go on', async () => {
  for (const code of ERROR_CODES) {
    const { statusCode, headers } = await answerTo('HEAD', code);
    assert.ok(statusCode < 500 && statusCode !== 429 && statusCode !== 408, `${code}: ${statusCode}`);
    if (ERRORS[code].status >= 500) assert.equal(statusCode, 423, code);
    if (statusCode === 423) assert.match(String(headers['retry-after']), /^[1-9]\d*$/, code);
  }
});

test('tus failures: PATCH is answered 423 or 5xx for all that passes', async () => {
  const passing: ErrorCode[] = [
    'rate_limited',
    'body_timeout',
    'overloaded',
    'shutting_down',
    'database_unavailable',
    'storage_unavailable',
    'internal',
    'insufficient_storage',
  ];
  for (const code of passing) {
    const { statusCode, headers } = await answerTo('PATCH', code);
    assert.ok(statusCode === 423 || statusCode >= 500, `${code}: ${statusCode}`);
    if (statusCode === 423) assert.match(String(headers['retry-after']), /^[1-9]\d*$/, code);
  }
});

test('tus failures: the statuses that tus names, with the envelope', async () => {
  const mismatch = await answerTo('PATCH', 'part_checksum_mismatch');
  assert.deepEqual([mismatch.statusCode, mismatch.statusMessage], [460, 'Checksum Mismatch']);
  assert.equal(mismatch.json<{ code: string }>().code, 'part_checksum_mismatch');
  const offset = await answerTo('PATCH', 'offset_mismatch', { expected_offset: 5, provided_offset: 7 });
  assert.deepEqual([offset.statusCode, offset.headers['upload-offset']], [409, '5']);
  const replaced = await answerTo('PATCH', 'offset_mismatch');
  assert.deepEqual([replaced.statusCode, replaced.headers['upload-offset']], [409, undefined]);
  assert.equal((await answerTo('PATCH', 'upload_closed', { status: 'cancelled' })).statusCode, 410);
  assert.equal((await answerTo('PATCH', 'upload_closed', { status: 'verifying' })).statusCode, 423);
  assert.equal((await answerTo('PATCH', 'upload_expired')).statusCode, 410);
  assert.equal((await answerTo('PATCH', 'file_too_large')).statusCode, 413);
});
