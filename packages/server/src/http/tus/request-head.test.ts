import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { methodOf } from './method.ts';
import { assertOffsetType, parseDeclaredLength, parseSize, refuseContentCoding } from './request-head.ts';

const isInvalid = (error: unknown) => error instanceof UploadError && error.code === 'invalid_request';

test('head: sizes are whole numbers of bytes', () => {
  assert.equal(parseSize({}, 'upload-offset'), null);
  assert.equal(parseSize({ 'upload-offset': '0' }, 'upload-offset'), 0);
  assert.equal(parseSize({ 'upload-length': '9007199254740991' }, 'upload-length'), Number.MAX_SAFE_INTEGER);
  for (const value of ['', '-1', '+1', '1.5', '1e3', '0x1', ' 1', '01', '9007199254740992', '1, 1', 'x']) {
    assert.throws(() => parseSize({ 'upload-offset': value }, 'upload-offset'), isInvalid, value);
  }
});

test('head: a length is declared at once or deferred, and not both', () => {
  assert.equal(parseDeclaredLength({ 'upload-length': '5' }), 5);
  assert.equal(parseDeclaredLength({ 'upload-defer-length': '1' }), null);
  for (const headers of [
    {},
    { 'upload-defer-length': '0' },
    { 'upload-defer-length': '2' },
    { 'upload-length': '5', 'upload-defer-length': '1' },
  ]) {
    assert.throws(() => parseDeclaredLength(headers), isInvalid);
  }
});

test('head: a body with a content coding is refused', () => {
  assert.throws(() => refuseContentCoding({ 'content-length': '7', 'content-encoding': 'gzip' }), isInvalid);
});

test('head: the type of bytes may have parameters, and no other type is taken', () => {
  const of = (...type: string[]) => ({ headersDistinct: { 'content-type': type } }) as unknown as IncomingMessage;
  assertOffsetType(of('application/offset+octet-stream'));
  assertOffsetType(of('Application/Offset+Octet-Stream; charset=utf-8'));
  for (const type of [of(), of(''), of('application/octet-stream'), of('text/plain')]) {
    assert.throws(() => assertOffsetType(type), isInvalid);
  }
});

test('head: only a POST has another method by its header', () => {
  const of = (method: string, override?: string) =>
    methodOf({ method, headers: override ? { 'x-http-method-override': override } : {} } as unknown as IncomingMessage);
  assert.equal(of('POST'), 'POST');
  assert.equal(of('POST', 'patch'), 'PATCH');
  assert.equal(of('HEAD', 'DELETE'), 'HEAD');
});
