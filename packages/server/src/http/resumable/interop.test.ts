import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInterop } from './interop.ts';

const spoken = (headers: Record<string, string>) => {
  const { interop, isNamed } = readInterop(headers);
  return [interop.version, isNamed];
};

test('interop versions: 3, 5, 6 and 8 are named by the client', () => {
  for (const version of [3, 5, 6, 8]) {
    assert.deepEqual(spoken({ 'upload-draft-interop-version': String(version) }), [version, true]);
  }
});

test('interop versions: without a known name it is the newest, and no 104 is sent', () => {
  assert.deepEqual(spoken({}), [8, false]);
  for (const other of ['0', '4', '7', '9', '8.0', 'eight', '8, 8']) {
    assert.deepEqual(spoken({ 'upload-draft-interop-version': other }), [8, false], other);
  }
});

test('interop versions: Upload-Incomplete alone means version 3', () => {
  assert.deepEqual(spoken({ 'upload-incomplete': '?0' }), [3, false]);
  assert.deepEqual(spoken({ 'upload-incomplete': '?0', 'upload-complete': '?1' }), [8, false]);
  assert.deepEqual(spoken({ 'upload-incomplete': '?0', 'upload-draft-interop-version': '8' }), [8, true]);
});
