/** The layout of the map of parts: cells in rows. */

/** CSS pixels. A file with few parts has larger cells, so that they fill a row. */
const MIN_CELL_PX = 7;
const MAX_CELL_PX = 18;
const GAP_PX = 2;
const MAX_ROWS = 6;

export interface PartsLayout {
  readonly cellPx: number;
  /** The height of all rows. */
  readonly heightPx: number;
  readonly columns: number;
  /** The number of parts in each cell; the last cell may have fewer. */
  readonly partsPerCell: number;
}

export function layOutParts(partCount: number, widthPx: number): PartsLayout {
  const fitting = Math.floor((widthPx + GAP_PX) / partCount) - GAP_PX;
  const cellPx = Math.min(MAX_CELL_PX, Math.max(MIN_CELL_PX, fitting));
  const step = cellPx + GAP_PX;
  const columns = Math.max(1, Math.floor((widthPx + GAP_PX) / step));
  const partsPerCell = Math.max(1, Math.ceil(partCount / (columns * MAX_ROWS)));
  const rows = Math.max(1, Math.ceil(Math.ceil(partCount / partsPerCell) / columns));
  return { cellPx, heightPx: rows * step - GAP_PX, columns, partsPerCell };
}

export interface Parts {
  has(idx: number): boolean;
}

interface Cell {
  readonly x: number;
  readonly y: number;
  /** The share of its parts that are stored, 0 to 1. */
  readonly stored: number;
  /** A part that is not stored yet is read or sent now. */
  readonly isMoving: boolean;
}

export function* cellsOf(
  { cellPx, columns, partsPerCell }: PartsLayout,
  partCount: number,
  stored: Parts,
  underWay: Parts,
): Generator<Cell> {
  const step = cellPx + GAP_PX;
  for (let first = 0, cell = 0; first < partCount; first += partsPerCell, cell++) {
    const end = Math.min(first + partsPerCell, partCount);
    let storedCount = 0;
    let isMoving = false;
    for (let idx = first; idx < end; idx++) {
      if (stored.has(idx)) storedCount++;
      else if (underWay.has(idx)) isMoving = true;
    }
    const [x, y] = [(cell % columns) * step, Math.floor(cell / columns) * step];
    yield { x, y, stored: storedCount / (end - first), isMoving };
  }
}
