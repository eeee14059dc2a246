/** The log for a person at a terminal: a short line of text for each line of JSON. */
import type { DestinationStream } from 'pino';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};
/** A terminal obeys them. */
const CONTROLS = /[\p{Cc}\p{Cf}]/gu;

interface Entry {
  readonly level: number;
  /** RFC 3339. */
  readonly time: string;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
  readonly [field: string]: unknown;
}

/** Lines of JSON are written to `destination` as `14:03:21 warning the disk is nearly full (free_bytes=1024)`. */
export function forTerminal(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(shorten(line)) };
}

/** @param line of JSON, with its line break. @returns a line of text, with a line break; another line as it is. */
export function shorten(line: string): string {
  let entry: Entry;
  try {
    entry = JSON.parse(line) as Entry;
  } catch {
    return line;
  }
  const { level, time, msg = '', err, ...fields } = entry;
  const pairs = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const details = [...(err?.message ? [err.message] : []), ...pairs].join(' ');
  const text = `${new Date(time).toLocaleTimeString('sv')} ${LEVELS[level] ?? level} ${msg}${details ? ` (${details})` : ''}`;
  return `${text.replace(CONTROLS, '?')}\n`;
}
