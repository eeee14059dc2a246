import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import {
  isListed,
  type LibraryState,
  libraryHref,
  listKey,
  readState,
  toFileQuery,
  toManifestQuery,
  withState,
} from './library-state.ts';

const START = readState(new URLSearchParams());

function state(change: Partial<LibraryState>): LibraryState {
  return { ...START, ...change };
}

function record(fields: object): FileRecord {
  const created_at = new Date(2026, 10, 30, 12).toISOString();
  return { filename: 'TS_012.rec', metadata: {}, mrc: null, instrument: null, created_at, ...fields } as FileRecord;
}

test('library state: an address gives the same state again', () => {
  const all = state({ folder: 'a/b c', q: 'grid 7', kind: 'volume', since: '2026-11-01', isDeep: true, view: 'grid' });
  for (const each of [START, all, state({ sort: 'largest', until: '2026-11-30', instrument: 'krios & co' })]) {
    const href = libraryHref(each, 'id/1');
    assert.deepEqual(readState(new URLSearchParams(href.split('?')[1] ?? '')), each);
  }
  assert.equal(libraryHref(START), '#files');
});

test('library state: unknown values are as if they were not given', () => {
  assert.deepEqual(readState(new URLSearchParams('kind=x&sort=up&view=list&since=1.1.2026&until=2026-99-99')), START);
});

test('library state: other parameters of the address stay', () => {
  assert.equal(withState('#files/1?axis=y&q=old', state({ q: 'new' })), '#files/1?q=new&axis=y');
  assert.equal(withState('#files/1?axis=y&q=old', START), '#files/1?axis=y');
  assert.equal(withState('#files?q=old', START), '#files');
});

test('library state: the same list has the same key, whatever the view and the blanks', () => {
  assert.equal(listKey(state({ q: ' Grid  7 ', view: 'grid' })), listKey(state({ q: 'grid 7' })));
  assert.notEqual(listKey(state({ sort: 'name' })), listKey(START));
});

test('library state: a folder lists its own files, and a search those below it', () => {
  assert.deepEqual(toFileQuery(state({ folder: 'a/b' })), { folder: 'a/b', sort: 'created_at', order: 'desc' });
  const order = { sort: 'filename', order: 'asc' };
  assert.deepEqual(toFileQuery(state({ folder: 'a', q: 'X y', sort: 'name' })), { prefix: 'a/', q: 'x y', ...order });
  assert.deepEqual(toFileQuery(state({ isDeep: true, sort: 'name' })), order);
  assert.deepEqual(toFileQuery(state({ kind: 'mdoc', q: 'ts', sort: 'name' })), {
    kind: 'other',
    q: 'ts .mdoc',
    ...order,
  });
});

test('library state: days are whole days of this machine', () => {
  const { since, until } = toFileQuery(state({ since: '2026-11-30', until: '2026-11-30' }));
  assert.equal(since, new Date(2026, 10, 30).toISOString());
  assert.equal(until, new Date(2026, 11, 1).toISOString());
});

test('library state: a file that arrives is listed where the server would list it', () => {
  const file = record({ metadata: { path: 'a/b/TS_012.rec', grid: 'Seven' }, instrument: 'krios-1' });
  const yes: Partial<LibraryState>[] = [
    { folder: 'a/b' },
    { folder: 'a', isDeep: true },
    { q: 'ts_012 SEVEN' },
    { kind: 'other' },
    { instrument: 'krios-1', since: '2026-11-30', until: '2026-11-30' },
  ];
  for (const each of yes) assert.ok(isListed(file, state(each)), JSON.stringify(each));
  const no: Partial<LibraryState>[] = [
    {},
    { folder: 'a' },
    { folder: 'a/bc', isDeep: true },
    { q: 'ts_012 eight' },
    { kind: 'volume' },
    { instrument: 'krios' },
    { since: '2026-12-01' },
    { until: '2026-11-29' },
  ];
  for (const each of no) assert.ok(!isListed(file, state(each)), JSON.stringify(each));
  assert.ok(isListed(record({}), START), 'without a folder');
  assert.ok(isListed(record({ filename: 'TS.mrc.MDOC' }), state({ kind: 'mdoc' })));
  assert.ok(!isListed(record({}), state({ kind: 'mdoc' })));
  assert.ok(isListed(record({ mrc: { kind: 'volume' } }), state({ kind: 'volume' })));
});

test('library state: a dataset has lists of its own, and the files of others are not in them', () => {
  const inDataset = state({ dataset: '01J8', isDeep: true });
  assert.deepEqual(readState(new URLSearchParams(libraryHref(inDataset).split('?')[1] ?? '')), inDataset);
  assert.notEqual(listKey(inDataset), listKey(state({ isDeep: true })));
  assert.deepEqual(toFileQuery(inDataset), { sort: 'created_at', order: 'desc' });
  assert.deepEqual(toManifestQuery(inDataset), { dataset_id: '01J8' });
  assert.equal(isListed(record({ dataset_id: '01J8' }), inDataset), true);
  assert.equal(isListed(record({ dataset_id: '01J9' }), inDataset), false);
  assert.equal(isListed(record({}), inDataset), false);
});
