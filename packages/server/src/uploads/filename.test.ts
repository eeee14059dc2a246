import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { assertFilename } from './filename.ts';

test('takes any name that is one step in a folder', () => {
  const names = ['a', 'a.mrc', '.hidden', '...', 'a b (1).mrc', 'µ-Graph 日本語.mrc', '-rf', '~', '😀.mrc', ' a '];
  for (const name of [...names, 'n'.repeat(255), 'ä'.repeat(127)]) assertFilename(name);
});

test('refuses paths, folders, control characters, broken Unicode, and names that are too long', () => {
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
    ['n'.repeat(256), /256 bytes/],
    ['ä'.repeat(128), /256 bytes/],
  ];
  for (const [name, says] of refused) {
    assert.throws(
      () => assertFilename(name),
      (error) => error instanceof UploadError && error.code === 'invalid_filename' && says.test(error.message),
      JSON.stringify(name),
    );
  }
});
