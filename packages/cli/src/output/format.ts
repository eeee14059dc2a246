/** Formats sizes, times and tables as text. */
import { printable } from './printable.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.4 GiB`; whole bytes below 1 KiB. */
export function formatBytes(exact: number): string {
  const bytes = Math.round(exact);
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${UNITS[power]}`;
}

/** `4 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `now`, `5 min ago`, `in 6 d`. */
export function formatWhen(time: string, nowMs: number): string {
  const aheadMs = Date.parse(time) - nowMs;
  const minutes = Math.floor(Math.abs(aheadMs) / 60_000);
  if (minutes < 1) return 'now';
  const span = formatMinutes(minutes);
  return aheadMs < 0 ? `${span} ago` : `in ${span}`;
}

function formatMinutes(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** Columns are as wide as their widest cell, separated by two blanks. @returns its lines. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, column) =>
    cells.reduce((width, row) => Math.max(width, (row[column] ?? '').length), 0),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** `[[0,2],[5,5]]` as `0-2, 5`. */
export function formatRanges(ranges: readonly (readonly number[])[]): string {
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}
