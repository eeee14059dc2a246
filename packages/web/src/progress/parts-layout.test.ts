import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsOf, layOutParts } from './parts-layout.ts';

const NONE = new Set<number>();

test('parts layout: few parts have large cells in one row', () => {
  const layout = layOutParts(4, 600);
  assert.deepEqual(layout, { cellPx: 18, heightPx: 18, columns: 30, partsPerCell: 1 });
});

test('parts layout: cells shrink before rows are added', () => {
  const layout = layOutParts(60, 600);
  assert.deepEqual([layout.cellPx, layout.heightPx, layout.partsPerCell], [8, 8, 1]);
});

test('parts layout: any number of parts fits into six rows', () => {
  for (const width of [1, 90, 320, 1200]) {
    for (const count of [1, 7, 128, 1000, 10_000]) {
      const { cellPx, heightPx, columns, partsPerCell } = layOutParts(count, width);
      const rows = (heightPx + 2) / (cellPx + 2);
      assert.ok(rows <= 6, `${rows} rows of ${count} parts in ${width} px`);
      assert.ok(rows * columns * partsPerCell >= count);
    }
  }
});

test('parts layout: a cell shows the share of its stored parts and whether one is in flight', () => {
  const layout = { cellPx: 7, heightPx: 16, columns: 2, partsPerCell: 4 };
  const cells = [...cellsOf(layout, 10, new Set([0, 1, 2, 3, 4, 8]), new Set([0, 5, 9]))];
  assert.deepEqual(cells, [
    { x: 0, y: 0, stored: 1, isMoving: false },
    { x: 9, y: 0, stored: 0.25, isMoving: true },
    { x: 0, y: 9, stored: 0.5, isMoving: true },
  ]);
  assert.deepEqual([...cellsOf(layout, 0, NONE, NONE)], []);
});
