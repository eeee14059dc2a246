import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newUpload } from './upload.ts';
import { groupUploads } from './upload-groups.ts';
import { UPLOAD_STATES, type UploadState } from './upload-states.ts';

function upload(name: string, state: UploadState) {
  return newUpload(JSON.stringify([null, name, 1, 0]), state, false);
}

test('upload groups: every upload is in one group', () => {
  const groups = groupUploads(UPLOAD_STATES.map((state) => upload(state, state)));
  const names = Object.values(groups).flatMap((group) => group.map(({ name }: { name: string }) => name));
  assert.deepEqual(names.sort(), [...UPLOAD_STATES].sort());
});

test('upload groups: failed ones come before refused ones, and the others stay in their order', () => {
  const all = [upload('a', 'refused'), upload('b', 'done'), upload('c', 'failed'), upload('d', 'done')];
  const { attention, done } = groupUploads(all);
  assert.deepEqual(
    attention.map(({ name }) => name),
    ['c', 'a'],
  );
  assert.deepEqual(
    done.map(({ name }) => name),
    ['b', 'd'],
  );
});

test('upload groups: pausing an upload does not move it', () => {
  const before = groupUploads([upload('a', 'running'), upload('b', 'running'), upload('c', 'interrupted')]);
  const after = groupUploads([upload('a', 'paused'), upload('b', 'running'), upload('c', 'interrupted')]);
  assert.deepEqual(
    after.current.map(({ name }) => name),
    before.current.map(({ name }) => name),
  );
});
