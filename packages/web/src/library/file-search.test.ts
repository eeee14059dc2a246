import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { matches } from './file-search.ts';

function record(fields: object): FileRecord {
  return { filename: 'TS_012.rec', sha256: 'ab12'.padEnd(64, '0'), metadata: {}, mrc: null, ...fields } as FileRecord;
}

const FILE = record({
  metadata: { grid: 'Seven', path: 'session1/TS_012.rec' },
  mrc: { kind: 'volume', labels: ['AreTomo 1.3'] },
});

test('file search: finds words in the name, the metadata and the labels, in any case and order', () => {
  for (const search of ['ts_012', 'SEVEN', 'aretomo', 'session1 rec', 'aretomo ts_']) {
    assert.ok(matches(FILE, search, ''), search);
  }
  assert.ok(!matches(FILE, 'ts_012 missing', ''));
});

test('file search: a digest is found by its start only', () => {
  assert.ok(matches(FILE, 'AB12', ''));
  assert.ok(!matches(FILE, 'b12', ''));
});

test('file search: no words find every file', () => {
  assert.ok(matches(FILE, '  ', ''));
});

test('file search: a kind selects MRC files of that kind, and other selects the files without a header', () => {
  assert.ok(matches(FILE, '', 'volume'));
  assert.ok(!matches(FILE, '', 'image'));
  assert.ok(!matches(FILE, '', 'other'));
  assert.ok(matches(record({}), '', 'other'));
  assert.ok(!matches(FILE, 'missing', 'volume'));
});
