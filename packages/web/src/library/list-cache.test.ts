import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api, type Transport } from '@cryolift/client';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { applyUpdates, itemsOf, type Page, putUpload, USAGE_KEY, updateFromEvent } from './list-cache.ts';
import { FileLists } from './query/file-lists.ts';
import { recordUpdate, updatesSince } from './updates.ts';

function file(id: string, created = 0): FileRecord {
  const digests = { sha256: '0'.repeat(64), parts_sha256: '0'.repeat(64) };
  const record = { file_id: id, filename: `${id}.mrc`, size: 1, created_at: new Date(created).toISOString() };
  // As far as the SDK checks a record.
  return { ...record, ...digests, owner: 'ada', metadata: {}, warnings: [] } as unknown as FileRecord;
}

function upload(id: string, status: UploadRecord['status'], fileId: string | null = null): UploadRecord {
  return { upload_id: id, status, file_id: fileId, created_at: new Date(0).toISOString() } as UploadRecord;
}

function newQueries(): QueryClient {
  // Without a timer that removes unused queries: it would keep the process running.
  return new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
}

function uploadsOf(queries: QueryClient, status: string): string[] {
  const items = itemsOf<UploadRecord>(queries.getQueryData(['uploads', status]));
  return items.map((each) => `${each.upload_id} ${each.status}`);
}

function apply(page: Page<FileRecord>, updates: Map<string, FileRecord | null>, isFirst = true): string[] {
  const idOf = ({ file_id }: FileRecord) => file_id;
  return applyUpdates(page, { updates, idOf, belongs: () => true, isFirst }).items.map(
    ({ file_id, filename }) => `${file_id} ${filename}`,
  );
}

test('list cache: an upload moves between the lists of its states', () => {
  const queries = newQueries();
  for (const status of ['', 'uploading', 'completed']) {
    const items = status === 'completed' ? [] : [upload('u', 'uploading')];
    queries.setQueryData(['uploads', status], { pages: [{ items, next_cursor: null }], pageParams: [] });
  }
  putUpload(queries, upload('u', 'completed'));
  assert.deepEqual(uploadsOf(queries, ''), ['u completed']);
  assert.deepEqual(uploadsOf(queries, 'uploading'), []);
  assert.deepEqual(uploadsOf(queries, 'completed'), ['u completed']);
});

test('list updates: only those since the start of the request are applied', () => {
  const queries = newQueries();
  recordUpdate(queries, 'file', 'old', null);
  const startedMs = Date.now() + 1;
  queries.setQueryData(['updates', 'file', 'new'], file('new'), { updatedAt: startedMs });
  assert.deepEqual([...updatesSince<FileRecord>(queries, 'file', startedMs).keys()], ['new']);
});

test('list updates: replace and remove items of a fetched page', () => {
  const page = { items: [file('b', 2), file('a', 1)], next_cursor: null };
  const renamed = { ...file('b', 2), filename: 'renamed.mrc' };
  assert.deepEqual(
    apply(
      page,
      new Map([
        ['b', renamed],
        ['a', null],
      ]),
    ),
    ['b renamed.mrc'],
  );
});

test('list updates: newer items are added to the first page only, newest first', () => {
  const page = { items: [file('b', 2)], next_cursor: null };
  const updates = new Map([
    ['c', file('c', 3)],
    ['d', file('d', 4)],
    ['a', file('a', 1)],
  ]);
  assert.deepEqual(apply(page, updates), ['d d.mrc', 'c c.mrc', 'b b.mrc']);
  assert.deepEqual(apply(page, updates, false), ['b b.mrc']);
});

test('list updates: items of another list are left out', () => {
  const page = { items: [upload('a', 'uploading')], next_cursor: null };
  const { items } = applyUpdates(page, {
    updates: new Map([['a', upload('a', 'completed')]]),
    idOf: ({ upload_id }) => upload_id,
    belongs: ({ status }) => status === 'uploading',
    isFirst: true,
  });
  assert.deepEqual(items, []);
});

test('events: a completed upload without its file changes its list, reads the file and refreshes the usage', async () => {
  const paths: string[] = [];
  const transport: Transport = {
    async send({ path }) {
      paths.push(path);
      return { status: 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(file('f'))) };
    },
  };
  const queries = newQueries();
  queries.setQueryData(['uploads', ''], { pages: [{ items: [], next_cursor: null }], pageParams: [] });
  queries.setQueryData(USAGE_KEY, {});
  const api = new Api(transport, async () => 'token');
  const observer = new QueryObserver(queries, { queryKey: ['file', 'f'], enabled: false });
  const received = Promise.withResolvers<void>();
  const stop = observer.subscribe(({ data }) => {
    if (data) received.resolve();
  });
  const files = new FileLists(queries);
  const data = upload('u', 'completed', 'f');
  const datasets = { changed() {} };
  updateFromEvent({ queries, api, files, datasets }, { type: 'cryolift.upload.completed', subject: 'uploads/u', data });
  await received.promise;
  stop();
  files.stop();
  assert.deepEqual(uploadsOf(queries, ''), ['u completed']);
  assert.deepEqual(paths, ['/files/f']);
  assert.equal(queries.getQueryState(USAGE_KEY)?.isInvalidated, true);
});

test('events: a published file is taken from its event, and nobody reads a file that is not shown', () => {
  const queries = newQueries();
  const api = new Api({ send: () => Promise.reject(new Error('no request expected')) }, async () => 'token');
  const files = new FileLists(queries);
  const changed = { queries, api, files, datasets: { changed() {} } };
  updateFromEvent(changed, { type: 'cryolift.file.published', subject: 'files/a', data: file('a') });
  assert.equal(queries.getQueryData<FileRecord>(['file', 'a'])?.file_id, 'a');
  updateFromEvent(changed, { type: 'cryolift.file.preview_ready', subject: 'files/b', data: {} });
  updateFromEvent(changed, { type: 'cryolift.file.deleted', subject: 'files/a', data: null });
  assert.equal(queries.getQueryData(['file', 'a']), undefined);
  files.stop();
});

test('events: those that name a dataset have it read again, but for each part of an upload', () => {
  const queries = newQueries();
  const api = new Api({ send: () => Promise.reject(new Error('no request expected')) }, async () => 'token');
  const files = new FileLists(queries);
  const ids: string[] = [];
  const changed = { queries, api, files, datasets: { changed: (id: string) => ids.push(id) } };
  const published = { ...file('a'), dataset_id: 'd1' };
  updateFromEvent(changed, { type: 'cryolift.file.published', subject: 'files/a', data: published });
  updateFromEvent(changed, { type: 'cryolift.dataset.completed', subject: 'datasets/d2', data: { dataset_id: 'd2' } });
  const arriving = { ...upload('u', 'uploading'), dataset_id: 'd3' };
  updateFromEvent(changed, { type: 'cryolift.upload.progress', subject: 'uploads/u', data: arriving });
  updateFromEvent(changed, { type: 'cryolift.file.published', subject: 'files/b', data: file('b') });
  assert.deepEqual(ids, ['d1', 'd2']);
  files.stop();
});
