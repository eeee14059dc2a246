import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, ERRORS, UploadError } from './errors.ts';

test('ERRORS: every row has a status, a hint and a code in snake case', () => {
  for (const code of ERROR_CODES) {
    const { status, hint } = ERRORS[code];
    assert.match(code, /^[a-z_]+$/);
    assert.ok(status >= 400 && status < 600, code);
    assert.match(hint, /\.$/, code);
  }
});

// Invariant 10
test('ERRORS: temporary failures are retryable, wrong requests are not', () => {
  for (const code of ERROR_CODES) {
    const { status, retryable } = ERRORS[code];
    if (status >= 500 || status === 408 || status === 429) assert.equal(retryable, true, code);
    if ([400, 403, 404, 405, 409, 410, 411, 412, 413, 415, 416].includes(status)) assert.equal(retryable, false, code);
  }
  // Of statuses that have both: a body that was damaged in transit, and a token that can be renewed.
  const both = ERROR_CODES.filter((code) => [401, 422].includes(ERRORS[code].status) && ERRORS[code].retryable);
  assert.deepEqual(both, ['token_expired', 'part_checksum_mismatch']);
});

test('UploadError: the envelope has the fields of the API, and details only when there are some', () => {
  const plain = new UploadError('part_conflict', 'Part 3 is stored with other bytes.').toEnvelope('r1');
  assert.deepEqual(plain, {
    code: 'part_conflict',
    message: 'Part 3 is stored with other bytes.',
    hint: ERRORS.part_conflict.hint,
    retryable: false,
    request_id: 'r1',
  });
  const detailed = new UploadError('overloaded', 'Busy.', { hint: 'Wait.', details: { parts: 9 } }).toEnvelope('r2');
  assert.deepEqual([detailed.hint, detailed.details, detailed.retryable], ['Wait.', { parts: 9 }, true]);
});
