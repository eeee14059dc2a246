import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newUpload } from './upload.ts';
import { UploadEntries } from './upload-entries.ts';
import { keyOfFile } from './upload-key.ts';

function newEntry(entries: UploadEntries, name = 'a.mrc') {
  return entries.put(newUpload(keyOfFile({ name, size: 1, lastModified: 0 }, null), 'checking', false), {});
}

test('upload entries: an event that is not allowed changes nothing', () => {
  const entries = new UploadEntries();
  const entry = newEntry(entries);
  assert.equal(entries.apply(entry, 'start', { bytesPerSecond: 5 }), false);
  assert.deepEqual([entry.upload.state, entry.upload.bytesPerSecond], ['checking', 0]);
  assert.equal(entries.apply(entry, 'accept', { bytesPerSecond: 5 }), true);
  assert.deepEqual([entry.upload.state, entry.upload.bytesPerSecond], ['queued', 5]);
});

test('upload entries: an entry that was removed or replaced does not change its state', () => {
  const entries = new UploadEntries();
  const replaced = newEntry(entries);
  const entry = newEntry(entries);
  assert.equal(entries.apply(replaced, 'accept'), false);
  assert.equal(entries.remove(replaced), false);
  assert.equal(entries.remove(entry), true);
  assert.equal(entries.apply(entry, 'accept'), false);
  assert.equal(entry.upload.state, 'checking');
});

test('upload entries: changes are published together', async () => {
  const entries = new UploadEntries();
  let notifications = 0;
  entries.uploads.watch(() => notifications++);
  newEntry(entries, 'a.mrc');
  entries.apply(newEntry(entries, 'b.mrc'), 'accept');
  await entries.uploads.next();
  assert.equal(notifications, 1);
  assert.deepEqual(
    entries.uploads.value.map(({ name, state }) => [name, state]),
    [
      ['a.mrc', 'checking'],
      ['b.mrc', 'queued'],
    ],
  );
});
