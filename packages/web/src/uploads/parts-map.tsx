/** Where the bytes of a file are: each cell one part, or several where there are many. */
import { useEffect, useRef } from 'react';
import { texts } from '../texts.ts';
import type { Arrived } from './upload.ts';

/** CSS pixels. Few parts have larger cells, so that they fill a row. */
const MIN_CELL = 7;
const MAX_CELL = 18;
const GAP = 2;
const MAX_ROWS = 6;

export function PartsMap({ arrived: { stored, underWay, partCount } }: { arrived: Arrived }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // After every render: the sets are the same ones, with another content.
  useEffect(() => {
    const { current } = canvas;
    if (!current) return;
    const paint = () => draw(current, partCount, stored, underWay);
    paint();
    const resized = new ResizeObserver(paint);
    resized.observe(current.parentElement as HTMLElement);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', paint);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', paint);
    };
  });
  const label = texts.parts.label(stored.size, underWay.size, partCount);
  return (
    <div className="parts-map">
      <canvas ref={canvas} role="img" aria-label={label} />
    </div>
  );
}

interface Parts {
  has(idx: number): boolean;
}

function draw(canvas: HTMLCanvasElement, partCount: number, stored: Parts, underWay: Parts): void {
  const width = (canvas.parentElement as HTMLElement).clientWidth;
  const cellSize = Math.min(MAX_CELL, Math.max(MIN_CELL, Math.floor((width + GAP) / partCount) - GAP));
  const step = cellSize + GAP;
  const columns = Math.max(1, Math.floor((width + GAP) / step));
  const perCell = Math.max(1, Math.ceil(partCount / (columns * MAX_ROWS)));
  const cells = Math.ceil(partCount / perCell);
  const rows = Math.max(1, Math.ceil(cells / columns));
  const height = rows * step - GAP;
  const scale = devicePixelRatio;
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const paint = canvas.getContext('2d');
  if (!paint) return;
  const style = getComputedStyle(canvas);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const colors = {
    missing: color('--part-missing'),
    stored: color('--part-stored'),
    underWay: color('--part-under-way'),
  };
  paint.setTransform(scale, 0, 0, scale, 0, 0);
  paint.clearRect(0, 0, width, height);
  for (let cell = 0; cell < cells; cell++) {
    const first = cell * perCell;
    const last = Math.min(first + perCell, partCount);
    let there = 0;
    let moving = false;
    for (let idx = first; idx < last; idx++) {
      if (stored.has(idx)) there++;
      else if (underWay.has(idx)) moving = true;
    }
    const x = (cell % columns) * step;
    const y = Math.floor(cell / columns) * step;
    paint.fillStyle = colors.missing;
    paint.fillRect(x, y, cellSize, cellSize);
    // A cell of many parts fills from below.
    const filled = Math.round((cellSize * there) / (last - first));
    paint.fillStyle = colors.stored;
    paint.fillRect(x, y + cellSize - filled, cellSize, filled);
    if (!moving) continue;
    paint.fillStyle = colors.underWay;
    paint.fillRect(x, y, cellSize, Math.max(2, cellSize - filled));
  }
}
