import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveBy } from './keys.ts';

const at = (key: string, index: number, columns = 1) => moveBy({ key }, { index, count: 50, columns });

test('keys: in a table, up and down, a page, and to both ends', () => {
  assert.deepEqual([at('ArrowDown', 3), at('ArrowUp', 3)], [4, 2]);
  assert.deepEqual([at('PageDown', 3), at('PageUp', 3), at('PageDown', 45)], [13, 0, 49]);
  assert.deepEqual([at('Home', 3), at('End', 3)], [0, 49]);
  assert.deepEqual([at('ArrowUp', 0), at('ArrowDown', 49)], [null, null]);
  assert.deepEqual([at('ArrowRight', 3), at('x', 3)], [null, null]);
});

test('keys: in a grid, to the sides and by lines', () => {
  assert.deepEqual([at('ArrowDown', 3, 4), at('ArrowUp', 7, 4)], [7, 3]);
  assert.deepEqual([at('ArrowRight', 3, 4), at('ArrowLeft', 3, 4)], [4, 2]);
  assert.deepEqual([at('ArrowDown', 48, 4), at('ArrowUp', 2, 4)], [null, null]);
});

test('keys: an empty list has no place to go', () => {
  assert.equal(moveBy({ key: 'Home' }, { index: 0, count: 0, columns: 1 }), null);
});
