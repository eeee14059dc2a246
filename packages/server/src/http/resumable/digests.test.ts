import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { readContentDigest, readReprDigest, wantsSha256 } from './digests.ts';

const BODY = Buffer.from('hello world');
const digest = (name: 'sha256' | 'sha512', bytes = BODY) => createHash(name).update(bytes).digest('base64');
const sha256 = `sha-256=:${digest('sha256')}:`;
const sha512 = `sha-512=:${digest('sha512')}:`;

function matches(field: string, body: Buffer): boolean | undefined {
  const checksum = readContentDigest({ 'content-digest': field });
  checksum?.update(body.subarray(0, 3));
  checksum?.update(body.subarray(3));
  return checksum?.matches();
}

const hasCode = (code: string) => (error: unknown) => error instanceof UploadError && error.code === code;

test('content digest: SHA-256 and SHA-512 are checked, and both when both are given', () => {
  for (const field of [sha256, sha512, `${sha256}, ${sha512}`, `${sha512};a=1,${sha256}`]) {
    assert.equal(matches(field, BODY), true, field);
    assert.equal(matches(field, Buffer.from('hello World')), false, field);
  }
  const wrong = `sha-512=:${digest('sha512', Buffer.from('x'))}:`;
  assert.equal(matches(`${sha256}, ${wrong}`, BODY), false);
  assert.equal(readContentDigest({}), null);
});

test('content digest: what is not checked is refused', () => {
  for (const field of ['md5=:1B2M2Y8AsgTpgAmY7PhCfg==:', `${sha256}, unixsum=:AAA=:`]) {
    assert.throws(() => readContentDigest({ 'content-digest': field }), hasCode('unsupported_digest'), field);
  }
  for (const field of [
    '',
    'sha-256',
    'sha-256=1',
    'sha-256=:AAAA:',
    'sha-256=(:AAAA:)',
    `sha-256=${digest('sha256')}`,
  ]) {
    assert.throws(() => readContentDigest({ 'content-digest': field }), hasCode('invalid_request'), field);
  }
  assert.throws(() => readContentDigest({ 'content-md5': 'x' }), hasCode('unsupported_digest'));
});

test('representation digest: SHA-256 alone', () => {
  assert.deepEqual(
    Buffer.from(readReprDigest({ 'repr-digest': sha256 }) ?? []),
    createHash('sha256').update(BODY).digest(),
  );
  assert.equal(readReprDigest({}), null);
  assert.throws(() => readReprDigest({ 'repr-digest': sha512 }), hasCode('unsupported_digest'));
  assert.throws(() => readReprDigest({ 'repr-digest': 'sha-256=x' }), hasCode('invalid_request'));
});

test('wanted representation digest: SHA-256 with a preference above 0', () => {
  for (const field of ['sha-256=1', 'sha-512=10, sha-256=3']) assert.equal(wantsSha256(field), true, field);
  for (const field of ['sha-256=0', 'sha-512=10', 'sha-256', '', null, undefined, 'sha-256=?1']) {
    assert.equal(wantsSha256(field), false, String(field));
  }
});
