import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printLimits } from './limits.ts';

test('upload limits: the lifetime has the name that the version gives it', () => {
  assert.equal(printLimits({ ageLimit: 'max-age' }, 1000, 61_999), 'max-size=1000, min-size=0, max-age=61');
  assert.equal(printLimits({ ageLimit: 'expires' }, 1000, -1), 'max-size=1000, min-size=0, expires=0');
  assert.equal(printLimits({ ageLimit: null }, 1000, 1), null);
});

test('upload limits: those of parallel appends', () => {
  const parallel = { maxParallel: 3, windowBytes: 500, alignmentBytes: 100 };
  assert.equal(
    printLimits({ ageLimit: 'max-age' }, 1000, 1000, parallel),
    'max-size=1000, min-size=0, max-age=1, max-parallel=3, reorder-window=500, append-alignment=100, commit=explicit',
  );
});
