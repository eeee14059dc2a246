import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConditionOutcome, type Conditions, checkConditions, parseHttpDate } from './conditions.ts';

const ETAG = '"abc"';
const CHANGED_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const at = (ms: number) => new Date(ms).toUTCString();
const SAME = at(CHANGED_MS);
const LATER = at(CHANGED_MS + 1000);
const EARLIER = at(CHANGED_MS - 1000);

function check(conditions: Conditions): ConditionOutcome {
  return checkConditions(conditions, { etag: ETAG, lastModifiedMs: CHANGED_MS });
}

test('conditions: If-Match compares strongly, in lists', () => {
  for (const value of [ETAG, '*', ' * ', '"x", "abc"', '"x","abc" ']) {
    assert.equal(check({ 'if-match': value }), 'proceed', value);
  }
  for (const value of ['"x"', 'W/"abc"', 'abc', '"ABC"', '', '"abcd"']) {
    assert.equal(check({ 'if-match': value }), 'failed', value);
  }
});

test('conditions: If-None-Match compares weakly, in lists', () => {
  for (const value of [ETAG, 'W/"abc"', '*', ' * ', '"x", "abc"', '"x",W/"abc" ']) {
    assert.equal(check({ 'if-none-match': value }), 'not_modified', value);
  }
  for (const value of ['"x"', 'abc', '"ABC"', '', '"abcd"', 'w/"abc"']) {
    assert.equal(check({ 'if-none-match': value }), 'proceed', value);
  }
});

test('conditions: dates are compared by the second; other text is ignored', () => {
  const table: [string, ConditionOutcome, ConditionOutcome][] = [
    // If-Unmodified-Since, If-Modified-Since
    [SAME, 'proceed', 'not_modified'],
    [LATER, 'proceed', 'not_modified'],
    [EARLIER, 'failed', 'proceed'],
    ['', 'proceed', 'proceed'],
    ['1', 'proceed', 'proceed'],
    ['2001-01-01', 'proceed', 'proceed'],
    ['nonsense', 'proceed', 'proceed'],
  ];
  for (const [value, unmodified, modified] of table) {
    assert.equal(check({ 'if-unmodified-since': value }), unmodified, value);
    assert.equal(check({ 'if-modified-since': value }), modified, value);
  }
  for (const name of ['if-unmodified-since', 'if-modified-since']) {
    assert.equal(checkConditions({ [name]: EARLIER }, { etag: ETAG, lastModifiedMs: null }), 'proceed');
  }
});

test('conditions: the order is that of RFC 9110 section 13.2.2', () => {
  // With If-Match, If-Unmodified-Since is ignored.
  assert.equal(check({ 'if-match': ETAG, 'if-unmodified-since': EARLIER }), 'proceed');
  // With If-None-Match, If-Modified-Since is ignored.
  assert.equal(check({ 'if-none-match': '"x"', 'if-modified-since': SAME }), 'proceed');
  assert.equal(check({ 'if-none-match': ETAG, 'if-modified-since': EARLIER }), 'not_modified');
  // 412 comes before 304.
  assert.equal(check({ 'if-match': '"x"', 'if-none-match': ETAG }), 'failed');
  assert.equal(check({ 'if-unmodified-since': EARLIER, 'if-modified-since': LATER }), 'failed');
  assert.equal(check({ 'if-match': ETAG, 'if-none-match': ETAG }), 'not_modified');
  assert.equal(check({ 'if-unmodified-since': SAME, 'if-modified-since': SAME }), 'not_modified');
});

test('HTTP dates: only the three forms of RFC 9110 section 5.6.7 are read', () => {
  const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (const value of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    ' Sun, 06 Nov 1994 08:49:37 GMT ',
  ]) {
    assert.equal(parseHttpDate(value), ms, value);
  }
  for (const value of [
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 06 Abc 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:49:37 GMT',
    '784111777',
    '',
  ]) {
    assert.equal(parseHttpDate(value), null, value);
  }
});

test('conditions: no header makes them throw (property)', () => {
  const header = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
  fc.assert(
    fc.property(header, header, header, header, (match, noneMatch, modified, unmodified) => {
      check({
        'if-match': match,
        'if-none-match': noneMatch,
        'if-modified-since': modified,
        'if-unmodified-since': unmodified,
      });
    }),
  );
});
