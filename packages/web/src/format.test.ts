import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatMeasure,
  formatNumber,
  formatSeconds,
  formatShare,
  formatUntil,
} from './format.ts';

test('format: bytes have a binary unit and three or four digits', () => {
  const sizes = [0, 1, 1023, 1024, 1536, 10_240, 1024 ** 2, 1.4 * 1024 ** 3, 20 * 1024 ** 4, 3000 * 1024 ** 4];
  assert.deepEqual(sizes.map(formatBytes), [
    ...['0 B', '1 B', '1023 B', '1.00 KiB', '1.50 KiB', '10.0 KiB', '1.00 MiB', '1.40 GiB', '20.0 TiB', '3000.0 TiB'],
  ]);
});

test('format: seconds are rounded to the unit that matters', () => {
  assert.deepEqual(
    [0, 0.4, 59.4, 60, 89, 3540, 3600, 7500, 47 * 3600, 49 * 3600, Number.POSITIVE_INFINITY].map(formatSeconds),
    [...['1 s', '1 s', '59 s', '1 min', '1 min', '59 min', '1 h 0 min', '2 h 5 min', '47 h 0 min', '2 days', '–']],
  );
});

test('format: a share is rounded down, and is 100 % only at the end', () => {
  assert.deepEqual(
    [formatShare(0, 10), formatShare(9_999, 10_000), formatShare(10, 10), formatShare(0, 0)],
    ['0 %', '99 %', '100 %', '100 %'],
  );
});

test('format: counts have thousands separators, and numbers seven digits', () => {
  assert.equal(formatCount(1_234_567), '1,234,567');
  assert.deepEqual([0.1 + 0.2, Math.fround(2.7), 12_345_678, -0.00012345678].map(formatNumber), [
    ...['0.3', '2.7', '12,345,680', '-0.0001234568'],
  ]);
  assert.deepEqual([68_976.4, 96.123_456, 1].map(formatMeasure), ['68,976', '96.123', '1']);
});

test('format: a coming time is local, with the date on another day, and says how long it is', () => {
  const now = new Date(2026, 10, 30, 17, 18).getTime();
  assert.equal(formatUntil(new Date(2026, 10, 30, 18, 5).getTime(), now), '18:05 (in 47 min)');
  assert.equal(formatUntil(new Date(2026, 11, 3, 18, 5).getTime(), now), '3 Dec 2026, 18:05 (in 3 days)');
  assert.equal(formatUntil(now, now), '17:18');
});

test('format: a past time says how long ago it was, and a future one counts as now', () => {
  const now = Date.parse('2026-11-30T17:18:00Z');
  assert.equal(formatAgo('2026-11-30T17:14:00Z', now), '4 min ago');
  assert.equal(formatAgo('2026-11-30T17:19:00Z', now), '1 s ago');
});
