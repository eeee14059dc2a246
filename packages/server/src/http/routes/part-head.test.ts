import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printDigestHeader } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { parsePartDigest, parsePartIndex, parsePartLength } from './part-head.ts';

const sha256 = new Uint8Array(32).fill(5);
const digest = printDigestHeader(sha256);

function refuses(code: string) {
  return (error: unknown) => error instanceof UploadError && error.code === code;
}

test('an index is a plain whole number; what is out of range is for the session to say', () => {
  assert.deepEqual(
    ['0', '7', '9999', '10000', '-1', '9999999999999999'].map(parsePartIndex).slice(0, 5),
    [0, 7, 9999, 10_000, -1],
  );
  for (const text of [
    '',
    '00',
    '01',
    '+1',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '0x1',
    'one',
    '--1',
    '-01',
    '99999999999999999',
  ]) {
    assert.throws(() => parsePartIndex(text), refuses('invalid_request'), JSON.stringify(text));
  }
});

test('no text but 0 means part 0', () => {
  assert.throws(() => parsePartIndex('-0'), refuses('invalid_request'));
});

test('a digest is read, and none is none', () => {
  assert.deepEqual(parsePartDigest({ 'content-digest': digest }), sha256);
  assert.equal(parsePartDigest({}), null);
});

test('a digest that would not be checked is refused, never ignored', () => {
  for (const headers of [
    { 'content-digest': 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:' },
    { 'content-digest': `${digest}, sha-512=:AAAA:` },
    { digest: 'SHA-256=x' },
    { 'repr-digest': digest },
    { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    { 'content-digest': digest, 'content-md5': '' },
  ]) {
    assert.throws(() => parsePartDigest(headers), refuses('unsupported_digest'), JSON.stringify(headers));
  }
  for (const value of ['', 'sha-256', 'sha-256=:AAAA:', 'sha-256=abc', `${digest}x`, `${digest}, ${digest}`]) {
    assert.throws(() => parsePartDigest({ 'content-digest': value }), refuses('invalid_request'), value);
  }
});

test('a length is needed, and bodies come as they are', () => {
  assert.equal(parsePartLength({ 'content-length': '0' }), 0);
  assert.equal(parsePartLength({ 'content-length': '8388608', 'content-encoding': 'identity' }), 8_388_608);
  assert.throws(() => parsePartLength({}), refuses('length_required'));
  assert.throws(() => parsePartLength({ 'transfer-encoding': 'chunked' }), refuses('length_required'));
  for (const encoding of ['gzip', 'br', 'identity, gzip', '']) {
    const headers = { 'content-length': '1', 'content-encoding': encoding };
    assert.throws(() => parsePartLength(headers), refuses('invalid_request'), encoding);
  }
});
