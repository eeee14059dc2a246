import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderOf } from './folder.ts';

test('folder: the part of a path before the name', () => {
  assert.equal(folderOf('grid/square/a.mrc', 'a.mrc'), 'grid/square/');
});

test('folder: a file without a path, or with a path of another name, has none', () => {
  assert.deepEqual([folderOf(null, 'a.mrc'), folderOf(undefined, 'a.mrc'), folderOf('a.mrc', 'a.mrc')], ['', '', '']);
  assert.equal(folderOf('grid/b.mrc', 'a.mrc'), '');
});
