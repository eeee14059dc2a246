import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError, ServerError } from '@cryolift/client';
import { isNotFound, slowQuery } from './slow-query.ts';

function serverError(status: number, code: 'overloaded' | 'not_found', retryable: boolean): ServerError {
  return new ServerError(status, { code, message: 'no', hint: 'wait', retryable, request_id: 'r' }, null);
}

test('slow query: is repeated while the server answers with a retryable error, a bounded number of times', () => {
  const busy = serverError(503, 'overloaded', true);
  assert.ok(slowQuery.retry(0, busy));
  assert.ok(slowQuery.retry(299, busy));
  assert.ok(!slowQuery.retry(300, busy));
});

test('slow query: other errors are final', () => {
  assert.ok(!slowQuery.retry(0, serverError(404, 'not_found', false)));
  assert.ok(!slowQuery.retry(0, new ConnectionError('refused')));
});

test('slow query: only the code not_found means that there is no result', () => {
  assert.ok(isNotFound(serverError(404, 'not_found', false)));
  assert.ok(!isNotFound(serverError(503, 'overloaded', true)));
  assert.ok(!isNotFound(new ConnectionError('refused')));
  assert.ok(!isNotFound(null));
});
