/** Sizes, times and counts as text, in the same form as in the command line. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.4 GiB`; whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(value < 10 ? 2 : 1)} ${UNITS[power]}`;
}

/** `4 s`, `3 min`, `2 h 5 min`: an estimate of the time that is left, so it is rounded. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

/** `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** `42 %`, rounded down: 100 % only when `part` equals `whole`. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '100 %';
  return `${Math.floor((part / whole) * 100)} %`;
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** Local date and time to the minute. */
export function formatTime(time: string): string {
  return DAY.format(new Date(time));
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });

/** `18:05 (in 47 min)`: local time, with the date when it is another day. @param nowMs milliseconds since 1970. */
export function formatUntil(ms: number, nowMs: number): string {
  const [at, now] = [new Date(ms), new Date(nowMs)];
  const time = at.toDateString() === now.toDateString() ? CLOCK.format(at) : DAY.format(at);
  return ms <= nowMs ? time : `${time} (in ${formatSeconds((ms - nowMs) / 1000)})`;
}

/** `4 min ago`. @param time RFC 3339. @param nowMs milliseconds since 1970. */
export function formatAgo(time: string, nowMs: number): string {
  return `${formatSeconds(Math.max(0, nowMs - Date.parse(time)) / 1000)} ago`;
}

/** `68,976`: a measured value, to five significant digits. */
export function formatMeasure(value: number): string {
  return formatNumber(Number(value.toPrecision(5)));
}

/** Up to seven significant digits, the precision of a float32. */
export function formatNumber(value: number): string {
  return Number(value.toPrecision(7)).toLocaleString('en', { maximumSignificantDigits: 7 });
}
