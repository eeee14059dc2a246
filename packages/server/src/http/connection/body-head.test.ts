import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyLengthOf } from './body-head.ts';

test('body: its length is Content-Length, and not known when it is chunked', () => {
  assert.equal(bodyLengthOf({ 'content-length': '12' }), 12);
  assert.equal(bodyLengthOf({}), 0);
  assert.equal(bodyLengthOf({ 'content-length': '7' }), 7);
  assert.equal(bodyLengthOf({ 'transfer-encoding': 'chunked' }), null);
});
