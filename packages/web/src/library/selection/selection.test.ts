import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deselect, extend, NOTHING_SELECTED, type Selected, selectAll, sizeOf, toggle } from './selection.ts';

const LIST: Selected[] = ['a', 'b', 'c', 'd', 'e'].map((id, at) => ({ id, name: `${id}.mrc`, size: 10 ** at }));
const [A, B] = LIST as [Selected, Selected];

const ids = ({ files }: { files: ReadonlyMap<string, Selected> }) => [...files.keys()].sort().join('');

test('selection: a file is selected and taken out again', () => {
  const both = toggle(toggle(NOTHING_SELECTED, A), B);
  assert.deepEqual([ids(both), sizeOf(both)], ['ab', 11]);
  assert.equal(ids(toggle(both, A)), 'b');
  assert.equal(ids(NOTHING_SELECTED), '');
});

test('selection: a range goes from the file that was toggled last, in both directions', () => {
  const start = toggle(NOTHING_SELECTED, LIST[2] as Selected);
  assert.equal(ids(extend(start, LIST, 4)), 'cde');
  assert.equal(ids(extend(extend(start, LIST, 4), LIST, 1)), 'bcde');
  assert.equal(ids(extend(NOTHING_SELECTED, LIST, 1)), 'b', 'without an anchor');
  assert.equal(ids(extend(start, LIST, 9)), 'c', 'beyond the list');
});

test('selection: all, and less again', () => {
  const all = selectAll(toggle(NOTHING_SELECTED, A), LIST);
  assert.deepEqual([ids(all), sizeOf(all)], ['abcde', 11111]);
  assert.equal(ids(deselect(all, ['b', 'x'])), 'acde');
});
