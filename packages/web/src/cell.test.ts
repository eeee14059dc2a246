import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cell } from './cell.ts';

test('cell: watchers are called for changes only, until they are removed', () => {
  const cell = new Cell(1);
  const values: number[] = [];
  const stop = cell.watch(() => values.push(cell.value));
  cell.set(1);
  cell.set(2);
  stop();
  cell.set(3);
  assert.deepEqual(values, [2]);
});

test('cell: next resolves at the next change', async () => {
  const cell = new Cell('a');
  const next = cell.next();
  cell.set('b');
  await next;
  assert.equal(cell.value, 'b');
});

test('cell: a watcher that removes another one does not disturb the notification', () => {
  const cell = new Cell(0);
  let calls = 0;
  const stops = [cell.watch(() => stops[1]?.()), cell.watch(() => calls++)];
  cell.set(1);
  cell.set(2);
  assert.equal(calls, 1);
});
