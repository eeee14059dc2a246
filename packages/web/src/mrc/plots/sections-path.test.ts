import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sectionsPath } from './sections-path.ts';

test('means: a line from the left to the right, the greatest at the top', () => {
  assert.equal(sectionsPath([0, 10, 5]), 'M0.00 60.00L128.00 4.00L256.00 32.00');
});

test('means: a section without a mean interrupts the line', () => {
  assert.equal(sectionsPath([0, null, 10, 10]), 'M0.00 60.00M170.67 4.00L256.00 4.00');
});

test('means: equal ones are a line in the middle', () => {
  assert.equal(sectionsPath([7, 7]), 'M0.00 32.00L256.00 32.00');
});
