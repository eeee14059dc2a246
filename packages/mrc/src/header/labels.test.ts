import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from './labels.ts';

test('labels: labels beyond NLABL are left out', () => {
  const label = ['first', '', 'third', 'left over', '', '', '', '', '', ''];
  assert.deepEqual(labelsOf({ label, nlabl: 3 }), ['first', 'third']);
  assert.deepEqual(labelsOf({ label, nlabl: 0 }), []);
});

test('labels: an impossible NLABL hides no label', () => {
  const label = Array.from({ length: 10 }, (_, at) => `label ${at}`);
  for (const nlabl of [-1, 10, 11, 2 ** 31 - 1]) assert.deepEqual(labelsOf({ label, nlabl }), label, String(nlabl));
});
