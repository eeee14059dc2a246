import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileHref, parseRoute } from './route.ts';

test('route: the fragment names the view, and the upload view is the default', () => {
  assert.deepEqual(parseRoute('#activity'), { view: 'activity' });
  assert.deepEqual(parseRoute('#files'), { view: 'files', fileId: null });
  for (const hash of ['', '#', '#upload', '#other/x', '#%/%']) assert.deepEqual(parseRoute(hash), { view: 'upload' });
});

test('route: the address of a file leads to it', () => {
  for (const fileId of ['01J8', 'a/b c', '50 %'])
    assert.deepEqual(parseRoute(fileHref(fileId)), { view: 'files', fileId });
});

test('route: text that is not percent-encoded correctly is used as it is', () => {
  assert.deepEqual(parseRoute('#files/%E0%A4%A'), { view: 'files', fileId: '%E0%A4%A' });
});
