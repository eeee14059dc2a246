import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortenFolder } from './shorten-folder.ts';

test('shorten folder: folders are left out from the right, and the name stays whole', () => {
  const path = 'session7/grid1/square4/a.mrc';
  assert.deepEqual(
    [28, 27, 24, 23, 16, 7, 1].map((width) => shortenFolder(path, width)),
    [
      path,
      'session7/grid1/…/a.mrc',
      'session7/grid1/…/a.mrc',
      'session7/grid1/…/a.mrc',
      'session7/…/a.mrc',
      '…/a.mrc',
      '…/a.mrc',
    ],
  );
  assert.equal(shortenFolder('a-long-name.mrc', 5), 'a-long-name.mrc');
});
