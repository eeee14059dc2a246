import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printDigestHeader } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { isPartCoded, parsePartDigests, parsePartIndex, parsePartLength } from './part-head.ts';

const sha256 = new Uint8Array(32).fill(5);
const digest = printDigestHeader(sha256);

function refuses(code: string) {
  return (error: unknown) => error instanceof UploadError && error.code === code;
}

test('part head: an index is a plain whole number; the upload checks its range', () => {
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

test('part head: only the text 0 means part 0', () => {
  assert.throws(() => parsePartIndex('-0'), refuses('invalid_request'));
});

test('part head: a digest is read, and may be missing', () => {
  assert.deepEqual(parsePartDigests({ 'content-digest': digest }, false), { part: sha256, codedBody: null });
  assert.deepEqual(parsePartDigests({}, false), { part: null, codedBody: null });
});

test('part head: Unencoded-Digest is of the part, Content-Digest of the body as it is sent', () => {
  const other = new Uint8Array(32).fill(6);
  const both = { 'content-digest': printDigestHeader(other), 'unencoded-digest': digest };
  assert.deepEqual(parsePartDigests(both, true), { part: sha256, codedBody: other });
  assert.deepEqual(parsePartDigests({ 'unencoded-digest': digest }, false), { part: sha256, codedBody: null });
  assert.throws(() => parsePartDigests(both, false), refuses('invalid_request'));
});

test('part head: a digest that would not be checked is refused', () => {
  for (const headers of [
    { 'content-digest': 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:' },
    { 'content-digest': `${digest}, sha-512=:AAAA:` },
    { digest: 'SHA-256=x' },
    { 'repr-digest': digest },
    { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    { 'content-digest': digest, 'content-md5': '' },
  ]) {
    assert.throws(() => parsePartDigests(headers, false), refuses('unsupported_digest'), JSON.stringify(headers));
  }
  for (const value of ['', 'sha-256', 'sha-256=:AAAA:', 'sha-256=abc', `${digest}x`, `${digest}, ${digest}`]) {
    assert.throws(() => parsePartDigests({ 'content-digest': value }, false), refuses('invalid_request'), value);
  }
});

test('part head: a length is required, and other codings than zstd are refused', () => {
  assert.equal(parsePartLength({ 'content-length': '0' }), 0);
  assert.equal(parsePartLength({ 'content-length': '8388608', 'content-encoding': 'identity' }), 8_388_608);
  assert.throws(() => parsePartLength({}), refuses('length_required'));
  assert.throws(() => parsePartLength({ 'transfer-encoding': 'chunked' }), refuses('length_required'));
  for (const encoding of ['gzip', 'br', 'identity, gzip', 'zstd, zstd', '']) {
    assert.throws(() => isPartCoded({ 'content-encoding': encoding }), refuses('invalid_request'), encoding);
  }
  assert.equal(isPartCoded({ 'content-encoding': 'ZSTD' }), true);
  assert.equal(isPartCoded({ 'content-encoding': 'identity' }), false);
  assert.equal(isPartCoded({}), false);
});
