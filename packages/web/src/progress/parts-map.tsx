/** A map of a file's parts: each cell is one part, or several parts when there are many. */
import { useEffect, useRef } from 'react';
import { texts } from '../texts.ts';
import type { ReceivedParts } from '../uploads/upload.ts';
import { cellsOf, layOutParts, type Parts } from './parts-layout.ts';

export function PartsMap({ received: { stored, underWay, partCount } }: { received: ReceivedParts }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // Runs after every render: the sets are the same objects with changed content.
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

function draw(canvas: HTMLCanvasElement, partCount: number, stored: Parts, underWay: Parts): void {
  const { clientWidth: width } = canvas.parentElement as HTMLElement;
  const layout = layOutParts(partCount, width);
  const { cellPx, heightPx: height } = layout;
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
  for (const { x, y, stored: share, isMoving } of cellsOf(layout, partCount, stored, underWay)) {
    paint.fillStyle = colors.missing;
    paint.fillRect(x, y, cellPx, cellPx);
    // A cell of several parts is filled from the bottom.
    const filled = Math.round(cellPx * share);
    paint.fillStyle = colors.stored;
    paint.fillRect(x, y + cellPx - filled, cellPx, filled);
    if (!isMoving) continue;
    paint.fillStyle = colors.underWay;
    paint.fillRect(x, y, cellPx, Math.max(2, cellPx - filled));
  }
}
