import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { FileReads } from './file-reads.ts';

function newServer() {
  const calls: string[] = [];
  const recordOf = (file_id: string) => ({ file_id }) as Partial<FileRecord> as FileRecord;
  const api = {
    file: async (id: string) => {
      calls.push(id);
      if (id === 'gone') throw new Error('there is no such file');
      return recordOf(id);
    },
    files: async () => {
      calls.push('list');
      return { items: ['a', 'b', 'c', 'd', 'e', 'f'].map(recordOf), next_cursor: null };
    },
  };
  return { calls, reads: new FileReads(api, 10) };
}

test('file reads: a file that is named several times is read once', async () => {
  const { calls, reads } = newServer();
  await reads.file('first');
  const files = await Promise.all([reads.file('a'), reads.file('a'), reads.file('b')]);
  assert.deepEqual(
    files.map(({ file_id }) => file_id),
    ['a', 'a', 'b'],
  );
  assert.deepEqual(calls, ['first', 'a', 'b']);
});

test('file reads: many files are read as a list, and those that it lacks one by one', async () => {
  const { calls, reads } = newServer();
  await reads.file('first');
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'old'];
  const files = await Promise.all(ids.map((id) => reads.file(id)));
  assert.deepEqual(
    files.map(({ file_id }) => file_id),
    ids,
  );
  assert.deepEqual(calls, ['first', 'list', 'old']);
});

test('file reads: a file that cannot be read fails alone', async () => {
  const { reads } = newServer();
  const [gone, there] = await Promise.allSettled([reads.file('gone'), reads.file('there')]);
  assert.deepEqual([gone?.status, there?.status], ['rejected', 'fulfilled']);
});
