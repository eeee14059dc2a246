import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetHref, fileHref, parametersOf, parseRoute, withParameter } from './route.ts';

test('route: the fragment names the view, and the upload view is the default', () => {
  assert.deepEqual(parseRoute('#activity'), { view: 'activity' });
  assert.deepEqual(parseRoute('#admin'), { view: 'admin' });
  assert.deepEqual(parseRoute('#files'), { view: 'files', fileId: null });
  for (const hash of ['', '#', '#upload', '#other/x', '#%/%']) assert.deepEqual(parseRoute(hash), { view: 'upload' });
});

test('route: the address of a file leads to it', () => {
  for (const fileId of ['01J8', 'a/b c', '50 %'])
    assert.deepEqual(parseRoute(fileHref(fileId)), { view: 'files', fileId });
});

test('route: the address of a dataset leads to it, and without an id to all of them', () => {
  assert.deepEqual(parseRoute('#datasets?q=krios&state=open'), { view: 'datasets', datasetId: null });
  for (const datasetId of ['01J8', 'a/b c']) {
    assert.deepEqual(parseRoute(datasetHref(datasetId)), { view: 'datasets', datasetId });
  }
});

test('route: text that is not percent-encoded correctly is used as it is', () => {
  assert.deepEqual(parseRoute('#files/%E0%A4%A'), { view: 'files', fileId: '%E0%A4%A' });
});

test('route: parameters are not part of the view or of the id of a file', () => {
  assert.deepEqual(parseRoute('#files?folder=a%2Fb'), { view: 'files', fileId: null });
  assert.deepEqual(parseRoute('#files/01J8?axis=y&slice=12'), { view: 'files', fileId: '01J8' });
  assert.equal(parametersOf('#files/01J8?axis=y&slice=12').get('slice'), '12');
  assert.equal(parametersOf('#files/01J8').size, 0);
});

test('route: one parameter is set or removed, and the others stay', () => {
  assert.equal(withParameter('#files', 'folder', 'a/b c'), '#files?folder=a%2Fb+c');
  assert.equal(withParameter('#files/01J8?axis=y&slice=12', 'slice', '13'), '#files/01J8?axis=y&slice=13');
  assert.equal(withParameter('#files/01J8?axis=y&slice=12', 'axis', null), '#files/01J8?slice=12');
  assert.equal(withParameter('#files?q=x', 'q', null), '#files');
  for (const value of ['50 %', 'a&b=c#?', 'Ä/é'])
    assert.equal(parametersOf(withParameter('#files?q=x', 'folder', value)).get('folder'), value);
});
