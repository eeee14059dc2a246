import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readComplete, readLength, refuseContentCoding } from './body-head.ts';
import { readInterop } from './interop.ts';
import { Problem } from './problem.ts';

const versionOf = (version: number) => readInterop({ 'upload-draft-interop-version': String(version) }).interop;

test('body: Upload-Incomplete is the inverse of Upload-Complete', () => {
  assert.equal(readComplete({ 'upload-complete': '?1' }, versionOf(8)), true);
  assert.equal(readComplete({ 'upload-incomplete': '?1' }, versionOf(3)), false);
  assert.equal(readComplete({ 'upload-incomplete': '?0' }, versionOf(3)), true);
  assert.equal(readComplete({ 'upload-complete': '?1' }, versionOf(3)), null);
  assert.equal(readComplete({ 'upload-complete': 'yes' }, versionOf(5)), null);
});

test('body: the length of the file is declared, or follows from a body that ends it', () => {
  const announced = { offset: 10, bodyBytes: 5, isComplete: false };
  assert.equal(readLength({}, announced), null);
  assert.equal(readLength({ 'upload-length': '20' }, announced), 20);
  assert.equal(readLength({}, { ...announced, isComplete: true }), 15);
  assert.equal(readLength({ 'upload-length': '15' }, { ...announced, isComplete: true }), 15);
  assert.equal(readLength({ 'upload-length': '-1' }, announced), null);
  assert.equal(readLength({}, { ...announced, bodyBytes: null, isComplete: true }), null);
  for (const length of ['14', '16']) {
    assert.throws(
      () => readLength({ 'upload-length': length }, { ...announced, isComplete: true }),
      (error) => error instanceof Problem && error.problem === 'inconsistent-upload-length' && error.status === 400,
    );
  }
});

test('body: a content coding is refused with 415', () => {
  refuseContentCoding({});
  refuseContentCoding({ 'content-encoding': 'identity' });
  assert.throws(
    () => refuseContentCoding({ 'content-encoding': 'gzip' }),
    (error) => error instanceof Problem && error.status === 415,
  );
});
