import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { FailedLogins } from './failed-logins.ts';

const refused = new UploadError('unauthenticated', 'This call needs a bearer token.');

test('failed logins: a network is limited after 600 in a minute, and others are not', () => {
  const failed = new FailedLogins();
  for (let at = 0; at < 600; at++) assert.equal(failed.note(`2001:db8::${at.toString(16)}`, refused), refused);
  const error = failed.note('2001:db8::ffff', refused) as UploadError;
  assert.equal(error.code, 'rate_limited');
  assert.ok(error.retryAfterSeconds && error.retryAfterSeconds <= 60);
  assert.equal(failed.note('192.0.2.1', refused), refused);
});

test('failed logins: an expired token is not counted', () => {
  const failed = new FailedLogins();
  const expired = new UploadError('token_expired', 'The token has expired.');
  for (let at = 0; at < 1_000; at++) assert.equal(failed.note('192.0.2.1', expired), expired);
});
