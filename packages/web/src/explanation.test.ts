import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerError, SourceError } from '@cryolift/client';
import { explain } from './explanation.ts';

test('explanation: an error of the server has its message, its hint and the id of the request', () => {
  const envelope = {
    code: 'quota_exceeded',
    message: 'too much',
    hint: 'delete',
    retryable: false,
    request_id: 'r1',
  } as const;
  assert.deepEqual(explain(new ServerError(413, envelope, null)), {
    message: 'too much',
    hint: 'delete',
    requestId: 'r1',
  });
});

test('explanation: a changed file has the hint of the page and not the hint of the SDK', () => {
  const { message, hint } = explain(new SourceError('source_changed', 'changed', 'use --restart'));
  assert.match(message, /has changed/);
  assert.match(hint ?? '', /Start again/);
});

test('explanation: other errors have their message, and an unknown value has a general one', () => {
  assert.deepEqual(explain(new Error('broken')), { message: 'broken', hint: null, requestId: null });
  assert.deepEqual(explain({}), { message: 'Something went wrong.', hint: null, requestId: null });
});
