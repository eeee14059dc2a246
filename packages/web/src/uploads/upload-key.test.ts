import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOfFile, readKey, withoutPath } from './upload-key.ts';

const FILE = { name: 'a "b".mrc', size: 5, lastModified: 7 };

test('upload key: contains path, name and size', () => {
  assert.deepEqual(readKey(keyOfFile(FILE, 'grid/a "b".mrc')), {
    path: 'grid/a "b".mrc',
    name: 'a "b".mrc',
    sizeBytes: 5,
  });
  assert.deepEqual(readKey(keyOfFile(FILE, null, 3)), { path: null, name: 'a "b".mrc', sizeBytes: 5 });
});

test('upload key: differs by path, size, time and copy', () => {
  const keys = [
    keyOfFile(FILE, null),
    keyOfFile(FILE, null, 2),
    keyOfFile(FILE, 'grid/a "b".mrc'),
    keyOfFile({ ...FILE, size: 6 }, null),
    keyOfFile({ ...FILE, lastModified: 8 }, null),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(keyOfFile(FILE, null, 1), keyOfFile(FILE, null));
});

test('upload key: without its path it is the same for copies and for other folders', () => {
  const plain = keyOfFile(FILE, null);
  assert.equal(withoutPath(keyOfFile(FILE, 'x/a "b".mrc')), plain);
  assert.equal(withoutPath(keyOfFile(FILE, 'y/a "b".mrc', 2)), plain);
  assert.notEqual(withoutPath(keyOfFile({ ...FILE, size: 6 }, null)), plain);
});
