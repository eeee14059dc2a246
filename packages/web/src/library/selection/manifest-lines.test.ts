import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDownloads, readEntries } from './manifest-lines.ts';

test('manifest: each line is a file', () => {
  const text = '{"file_id":"1","path":"a/b.mrc","size":7,"sha256":null}\n{"file_id":"2","path":"c.mrc","size":8}\n';
  assert.deepEqual(readEntries(text), [
    { id: '1', name: 'b.mrc', size: 7 },
    { id: '2', name: 'c.mrc', size: 8 },
  ]);
  assert.deepEqual(readEntries(''), []);
});

test('manifest: a download for aria2 is its URL with the options below it', () => {
  const one = 'https://h/files/01A/content?s=1\n  out=a/b.mrc\n  checksum=sha-256=ab\n';
  const two = 'https://h/files/01B/content?s=2\n  out=c d.mrc\n';
  const found = readDownloads(one + two);
  assert.deepEqual([...found.keys()], ['01A', '01B']);
  assert.deepEqual(found.get('01A'), { url: 'https://h/files/01A/content?s=1', lines: one });
  assert.equal(found.get('01B')?.lines, two);
  assert.equal(readDownloads('').size, 0);
});
