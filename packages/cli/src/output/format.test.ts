import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatRanges, formatSeconds, formatTable, formatWhen } from './format.ts';

test('format: sizes have binary units and a sensible number of digits', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [4.739336492890995, '5 B'],
    [1023, '1023 B'],
    [1023.7, '1.00 KiB'],
    [1024, '1.00 KiB'],
    [10 * 1024 ** 2, '10.0 MiB'],
    [1.5 * 1024 ** 3, '1.50 GiB'],
    [5000 * 1024 ** 4, '5000.0 TiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('format: durations have at most two units', () => {
  assert.deepEqual([59.4, 200, 7500, Number.POSITIVE_INFINITY].map(formatSeconds), [
    '59 s',
    '3 min 20 s',
    '2 h 5 min',
    '–',
  ]);
});

test('format: times are relative to now, in the past and the future', () => {
  const nowMs = Date.parse('2026-01-10T00:00:00Z');
  const cases = { '2026-01-09T23:59:30Z': 'now', '2026-01-09T22:30:00Z': '1 h ago', '2026-01-16T01:00:00Z': 'in 6 d' };
  for (const [time, text] of Object.entries(cases)) assert.equal(formatWhen(time, nowMs), text);
});

test('format: tables are aligned, ranges are joined', () => {
  assert.deepEqual(
    formatTable([
      ['A', 'B'],
      ['long', 'x'],
      ['s', ''],
    ]),
    ['A     B', 'long  x', 's'],
  );
  assert.equal(
    formatRanges([
      [0, 2],
      [5, 5],
    ]),
    '0-2, 5',
  );
});

test('format: a table can have more rows than a call can have arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_, idx) => [`file-${idx}`, 'x']);
  const lines = formatTable(rows);
  assert.equal(lines.length, rows.length);
  assert.deepEqual([lines[0], lines.at(-1)], ['file-0       x', 'file-199999  x']);
});
