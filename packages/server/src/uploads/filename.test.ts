import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { readFilename } from './filename.ts';

test('filename: accepts any name of one path segment', () => {
  const names = [
    'a',
    'a.mrc',
    '.hidden',
    '...',
    'a b (1).mrc',
    'µ-Graph 日本語.mrc',
    '-rf',
    '~',
    '😀.mrc',
    ' a ',
    'console.mrc',
    'com.mrc',
    'aux1.mrc',
    'אב.mrc',
  ];
  for (const name of [...names, 'n'.repeat(255), 'ä'.repeat(127)]) assert.equal(readFilename(name), name);
});

test('filename: refuses paths, folders, control characters, invalid Unicode, and names that are too long', () => {
  const refused: [string, RegExp][] = [
    ['', /empty/],
    ['.', /folder/],
    ['..', /folder/],
    ['a/b', /path/],
    ['/a', /path/],
    ['a/', /path/],
    ['..\\a', /path/],
    ['a\0', /control/],
    ['a\nb', /control/],
    ['a\u007f', /control/],
    ['a\u0085', /control/],
    ['a\ud800', /Unicode/],
    ['\udc00a', /Unicode/],
    ['a\u202egpj.mrc', /control/],
    ['a\u2066b', /control/],
    ['a\u200fb', /control/],
    ['a\u2028b', /control/],
    ['nul', /device/],
    ['CON.mrc', /device/],
    ['Lpt1 .tar.mrc', /device/],
    ['n'.repeat(256), /256 bytes/],
    ['ä'.repeat(128), /256 bytes/],
  ];
  for (const [name, says] of refused) {
    assert.throws(
      () => readFilename(name),
      (error) => error instanceof UploadError && error.code === 'invalid_filename' && says.test(error.message),
      JSON.stringify(name),
    );
  }
});

test('filename: a name is normalized', () => {
  assert.equal(readFilename('Mu\u0308ller.mrc'), 'M\u00fcller.mrc');
  // The stored form counts: 128 times three bytes before, two after.
  readFilename(`${'a\u0308'.repeat(127)}`);
});
