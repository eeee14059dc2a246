import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from './labels.ts';

test('labels: those beyond NLABL are left over from another file', () => {
  const label = ['first', '', 'third', 'left over', '', '', '', '', '', ''];
  assert.deepEqual(labelsOf({ label, nlabl: 3 }), ['first', 'third']);
  assert.deepEqual(labelsOf({ label, nlabl: 0 }), []);
});

test('labels: an NLABL that cannot be hides none', () => {
  const label = Array.from({ length: 10 }, (_, at) => `label ${at}`);
  for (const nlabl of [-1, 10, 11, 2 ** 31 - 1]) assert.deepEqual(labelsOf({ label, nlabl }), label, String(nlabl));
});
