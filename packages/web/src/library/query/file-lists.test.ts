import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { QueryClient } from '@tanstack/react-query';
import { applyFileUpdates, FileLists, type FilePages } from './file-lists.ts';
import { type LibraryState, listKey, readState } from './library-state.ts';

const START = readState(new URLSearchParams());
const NEWEST = listKey(START);

function file(id: string, path = `${id}.mrc`, createdMs = 0): FileRecord {
  const filename = path.slice(path.lastIndexOf('/') + 1);
  const created_at = new Date(createdMs).toISOString();
  return {
    file_id: id,
    filename,
    metadata: { path },
    created_at,
    mrc: null,
    instrument: null,
  } as unknown as FileRecord;
}

function makeBench(t: TestContext, lists: Readonly<Record<string, FileRecord[][]>>) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const queries = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
  for (const [key, pages] of Object.entries(lists)) {
    const total = pages.flat().length;
    const made = pages.map((items) => ({ items, next_cursor: null, total, total_is_more: false }));
    queries.setQueryData(['files', key], { pages: made, pageParams: made.map(() => undefined) });
  }
  const files = new FileLists(queries);
  files.show(Object.keys(lists)[0] ?? null);
  const read = (key: string) => queries.getQueryData<FilePages>(['files', key]);
  return {
    queries,
    files,
    read,
    ids: (key = NEWEST) => read(key)?.pages.flatMap(({ items }) => items.map(({ file_id }) => file_id)),
    total: (key = NEWEST) => read(key)?.pages[0]?.total,
    pass: (ms = 2_000) => t.mock.timers.tick(ms),
  };
}

const keyOf = (change: Partial<LibraryState>) => listKey({ ...START, ...change });

test('file lists: a new file is added in front, and a known one is replaced in its place', (t) => {
  const { files, ids, total, read, pass } = makeBench(t, { [NEWEST]: [[file('b')], [file('a')]] });
  files.put(file('c'));
  pass();
  assert.deepEqual([ids(), total()], [['c', 'b', 'a'], 3]);
  files.put({ ...file('a'), filename: 'renamed.mrc' });
  assert.equal(read(NEWEST)?.pages[1]?.items[0]?.filename, 'renamed.mrc');
  assert.deepEqual([ids(), total()], [['c', 'b', 'a'], 3]);
});

test('file lists: many files that arrive change a list once a second, the newest in front', (t) => {
  const { files, ids, read, pass } = makeBench(t, { [NEWEST]: [[]] });
  files.put(file('a', 'a.mrc', 1));
  pass(100);
  assert.deepEqual(ids(), ['a'], 'the first one at once');
  const before = read(NEWEST);
  for (const at of [2, 4, 3]) files.put(file(`f${at}`, `f${at}.mrc`, at));
  pass(500);
  assert.equal(read(NEWEST), before);
  pass(600);
  assert.deepEqual(ids(), ['f4', 'f3', 'f2', 'a']);
});

test('file lists: a file is added to the lists it belongs to, also to those that are not shown', (t) => {
  const [folder, other] = [keyOf({ folder: 'x' }), keyOf({ q: 'grid9' })];
  const { files, ids, pass } = makeBench(t, { [NEWEST]: [[]], [folder]: [[]], [other]: [[]] });
  files.put(file('a', 'x/a.mrc'));
  pass();
  assert.deepEqual([ids(NEWEST), ids(folder), ids(other)], [[], ['a'], []]);
});

test('file lists: while the user is at work in the list, files wait and are counted', (t) => {
  const { files, ids, pass } = makeBench(t, { [NEWEST]: [[file('a')]] });
  files.hold(true);
  for (const id of ['b', 'c']) files.put(file(id));
  files.put(file('elsewhere', 'y/e.mrc'));
  pass();
  assert.deepEqual([ids(), files.waiting.value], [['a'], 2]);
  files.insertWaiting();
  assert.deepEqual([ids()?.length, files.waiting.value], [3, 0]);
  files.put(file('d'));
  pass();
  assert.equal(files.waiting.value, 1);
  files.hold(false);
  pass();
  assert.deepEqual([ids()?.length, files.waiting.value], [4, 0]);
});

test('file lists: an empty list takes files also while the user is at work', (t) => {
  const { files, ids, pass } = makeBench(t, { [NEWEST]: [[]] });
  files.hold(true);
  files.put(file('a'));
  pass();
  assert.deepEqual(ids(), ['a']);
});

test('file lists: a list in another order that is not shown is read again when it is', (t) => {
  const byName = keyOf({ sort: 'name' });
  const { files, ids, read, pass } = makeBench(t, { [NEWEST]: [[]], [byName]: [[file('b')]] });
  files.put(file('a'));
  pass();
  assert.deepEqual(ids(), ['a']);
  assert.equal(read(byName), undefined);
});

test('file lists: a deleted file leaves all lists, and a late record does not bring it back', (t) => {
  const deep = keyOf({ isDeep: true });
  const { files, ids, total, queries, pass } = makeBench(t, {
    [NEWEST]: [[file('a'), file('b')]],
    [deep]: [[file('a')]],
  });
  files.drop('a');
  pass();
  assert.deepEqual([ids(), total(), ids(deep), total(deep)], [['b'], 1, [], 0]);
  files.put(file('a'));
  pass();
  assert.deepEqual(ids(), ['b']);
  assert.equal(queries.getQueryData(['file', 'a']), undefined);
});

test('file lists: a list that was never fetched is not created', (t) => {
  const { files, queries, pass } = makeBench(t, {});
  files.put(file('a'));
  pass();
  assert.equal(queries.getQueryCache().findAll({ queryKey: ['files'] }).length, 0);
  assert.equal(queries.getQueryData<FileRecord>(['file', 'a'])?.file_id, 'a');
});

test('file lists: events during a request are newer than its answer', (t) => {
  const { files, queries } = makeBench(t, {});
  const startedMs = Date.now();
  files.drop('b');
  files.put(file('c', 'c.mrc', 9));
  files.put(file('elsewhere', 'y/e.mrc', 9));
  const page = {
    items: [file('b', 'b.mrc', 2), file('a', 'a.mrc', 1)],
    next_cursor: null,
    total: 2,
    total_is_more: false,
  };
  const first = applyFileUpdates(queries, page, { state: START, startedMs, isFirst: true });
  assert.deepEqual([first.items.map(({ file_id }) => file_id), first.total], [['c', 'a'], 2]);
  const next = applyFileUpdates(queries, page, { state: START, startedMs, isFirst: false });
  assert.deepEqual(
    next.items.map(({ file_id }) => file_id),
    ['a'],
  );
  assert.equal(applyFileUpdates(queries, page, { state: START, startedMs: startedMs + 1, isFirst: true }), page);
});
