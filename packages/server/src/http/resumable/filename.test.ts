import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { nameOf } from './filename.ts';

/** As Node gives it. */
const sent = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test('file name: Content-Disposition goes before the path', () => {
  assert.equal(nameOf('inline; filename="a b.mrc"', 'other.mrc'), 'a b.mrc');
  assert.equal(nameOf('attachment; filename=a.mrc', ''), 'a.mrc');
  assert.equal(nameOf(`inline; filename="?.mrc"; filename*=UTF-8''k%C3%A4lte.mrc`, ''), 'kälte.mrc');
  for (const nameless of ['inline', 'inline; filename=""', 'filename=x', '', undefined]) {
    assert.equal(nameOf(nameless, 'movie.mrc'), 'movie.mrc', String(nameless));
    assert.equal(nameOf(nameless, ''), null, String(nameless));
  }
});

test('file name: UTF-8 in filename is read, and ISO-8859-1 as well', () => {
  assert.equal(nameOf(sent('inline; filename="日本 é.mrc"'), ''), '日本 é.mrc');
  assert.equal(nameOf('inline; filename="\u00e9.mrc"', ''), 'é.mrc');
});

test('file name: a path of several segments is none of this server', () => {
  for (const path of ['a/b.mrc', 'uploads/x', '/']) {
    assert.throws(
      () => nameOf(undefined, path),
      (error) => error instanceof UploadError && error.code === 'not_found',
      path,
    );
  }
});
