import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MRC_KINDS } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { FILE_KINDS, matches } from './file-search.ts';

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

test('file search: every kind that a record can have can be chosen, and session data', () => {
  assert.deepEqual(FILE_KINDS, [...MRC_KINDS, 'mdoc', 'other']);
  const sidecar = record({ file_id: 'a', mdoc: { file_id: 'a' } });
  assert.deepEqual(
    FILE_KINDS.filter((kind) => matches(sidecar, '', kind)),
    ['mdoc'],
  );
  const series = record({ file_id: 'b', mdoc: { file_id: 'a' }, mrc: { kind: 'tilt_series', labels: [] } });
  assert.deepEqual(
    FILE_KINDS.filter((kind) => matches(series, '', kind)),
    ['tilt_series'],
  );
});
