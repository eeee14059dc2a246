import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RangeRequest, selectBytes } from './range.ts';

const ETAG = '"abc"';
const PUBLISHED_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const LAST_MODIFIED = new Date(PUBLISHED_MS).toUTCString();

function select(request: RangeRequest, sizeBytes = 1000) {
  return selectBytes(request, { etag: ETAG, lastModifiedMs: PUBLISHED_MS }, sizeBytes);
}

const range = (start: number, end: number) => ({ kind: 'range', start, end });
const WHOLE = { kind: 'whole' };
const UNSATISFIABLE = { kind: 'unsatisfiable' };

test('ranges: single ranges are answered as in RFC 9110 section 14', () => {
  const table: [string, object][] = [
    ['bytes=0-0', range(0, 0)],
    ['bytes=0-499', range(0, 499)],
    ['bytes=500-', range(500, 999)],
    ['bytes=999-999', range(999, 999)],
    ['bytes=999-5000', range(999, 999)],
    ['bytes=-1', range(999, 999)],
    ['bytes=-1000', range(0, 999)],
    ['bytes=-5000', range(0, 999)],
    ['bytes= 1-2 ', range(1, 2)],
    ['bytes=0-99999999999999999999999', range(0, 999)],
    // Nothing of it is in the file.
    ['bytes=1000-', UNSATISFIABLE],
    ['bytes=1000-2000', UNSATISFIABLE],
    ['bytes=-0', UNSATISFIABLE],
    ['bytes=99999999999999999999999-', UNSATISFIABLE],
    // Invalid, of another unit, or more than one: the header is ignored.
    ['bytes=2-1', WHOLE],
    ['bytes=5000-4999', WHOLE],
    ['bytes=-', WHOLE],
    ['bytes=', WHOLE],
    ['bytes=a-b', WHOLE],
    ['bytes=1.5-2', WHOLE],
    ['bytes=--1', WHOLE],
    ['bytes=1-2-3', WHOLE],
    ['bytes 1-2', WHOLE],
    ['lines=1-2', WHOLE],
    ['xbytes=1-2', WHOLE],
    ['bytes=0-1,5-6', WHOLE],
    ['', WHOLE],
  ];
  for (const [value, expected] of table) assert.deepEqual(select({ range: value }), expected, value);
  assert.deepEqual(select({}), WHOLE);
});

test('ranges: an empty file has no range', () => {
  for (const value of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) {
    assert.deepEqual(select({ range: value }, 0), UNSATISFIABLE, value);
  }
  assert.deepEqual(select({}, 0), WHOLE);
});

test('ranges: conditions come before the range', () => {
  const range = 'bytes=5000-';
  assert.deepEqual(select({ range, 'if-match': '"x"' }), { kind: 'failed' });
  assert.deepEqual(select({ range, 'if-none-match': ETAG }), { kind: 'not_modified' });
  assert.deepEqual(select({ range, 'if-modified-since': LAST_MODIFIED }), { kind: 'not_modified' });
  assert.deepEqual(select({ range, 'if-match': ETAG }), UNSATISFIABLE);
});

test('ranges: If-Range compares strongly; when it fails the whole file is sent, even for a range outside', () => {
  const holds = ['"abc"', ' "abc" ', LAST_MODIFIED];
  for (const value of holds) assert.deepEqual(select({ range: 'bytes=0-1', 'if-range': value }), range(0, 1), value);
  const later = new Date(PUBLISHED_MS + 1000).toUTCString();
  const earlier = new Date(PUBLISHED_MS - 1000).toUTCString();
  // The last one is the time of publishing in a form that HTTP does not have.
  const iso = `${new Date(PUBLISHED_MS).toISOString().slice(0, 19)}Z`;
  for (const value of ['W/"abc"', '"x"', later, earlier, 'nonsense', '', iso]) {
    assert.deepEqual(select({ range: 'bytes=0-1', 'if-range': value }), WHOLE, value);
    assert.deepEqual(select({ range: 'bytes=5000-', 'if-range': value }), WHOLE, value);
  }
  assert.deepEqual(select({ 'if-range': '"abc"' }), WHOLE);
});

test('ranges: a tag that the same bytes had before holds in every condition', () => {
  const tags = { etag: ETAG, earlierEtag: '"before"', lastModifiedMs: PUBLISHED_MS };
  const ask = (request: RangeRequest) => selectBytes({ range: 'bytes=0-1', ...request }, tags, 1000);
  for (const tag of ['"before"', ETAG]) {
    assert.deepEqual(ask({ 'if-range': tag }), range(0, 1));
    assert.deepEqual(ask({ 'if-match': tag }), range(0, 1));
    assert.deepEqual(ask({ 'if-none-match': `W/${tag}` }), { kind: 'not_modified' });
  }
  assert.deepEqual(ask({ 'if-range': '"other"' }), WHOLE);
  assert.deepEqual(ask({ 'if-match': 'W/"before"' }), { kind: 'failed' });
});

test('ranges: a range lies in the file, and no header makes it throw (property)', () => {
  const header = fc.oneof(
    fc.tuple(fc.nat(30), fc.nat(30)).map(([first, last]) => `bytes=${first}-${last}`),
    fc.nat(30).map((first) => `bytes=${first}-`),
    fc.nat(30).map((last) => `bytes=-${last}`),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(header, fc.nat(20), (value, sizeBytes) => {
      const selection = select({ range: value }, sizeBytes);
      if (selection.kind !== 'range') return;
      const { start, end } = selection;
      assert.ok(Number.isInteger(start) && start >= 0 && start <= end && end < sizeBytes, `${value} of ${sizeBytes}`);
    }),
  );
});
