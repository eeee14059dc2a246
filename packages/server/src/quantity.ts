/** Reading sizes, durations and other values of settings. Each throws an Error that says what is expected. */
import { isIP } from 'node:net';

const SIZE_UNITS: Record<string, number> = { b: 1 };
for (const [power, letter] of ['k', 'm', 'g', 't', 'p'].entries()) {
  SIZE_UNITS[`${letter}ib`] = 1024 ** (power + 1);
  SIZE_UNITS[`${letter}b`] = 1000 ** (power + 1);
}
const DURATION_UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `8MiB`, `16TiB`, `500MB`, or bytes; at most 2^53-1. @returns bytes. */
export function parseSize(text: string, minBytes = 0, maxBytes = Number.MAX_SAFE_INTEGER): number {
  const bytes = parseUnits(text, SIZE_UNITS, 1);
  if (bytes === null || !Number.isSafeInteger(bytes)) throw new Error(`"${text}" is not a size like 8MiB`);
  if (bytes < minBytes || bytes > maxBytes) throw new Error(`${text} is not between ${minBytes} and ${maxBytes} bytes`);
  return bytes;
}

/** `30s`, `7d`, `500ms`; 1 ms or more. @returns milliseconds. */
export function parseDuration(text: string, maxMs = Number.MAX_SAFE_INTEGER): number {
  const ms = parseUnits(text, DURATION_UNITS, null);
  if (ms === null || !Number.isSafeInteger(ms) || ms < 1) throw new Error(`"${text}" is not a duration like 30s or 7d`);
  if (ms > maxMs) throw new Error(`${text} is longer than ${maxMs} ms`);
  return ms;
}

export function parseInteger(text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(`"${text}" is not a whole number from ${min} to ${max}`);
  return value;
}

export function parseBoolean(text: string): boolean {
  const value = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(value)) return true;
  if (['false', '0', 'no', 'off'].includes(value)) return false;
  throw new Error(`"${text}" is neither true nor false`);
}

/** `true`, how many proxies stand in a row, or their addresses. @returns a number, 0 for none, or addresses and CIDR blocks. */
export function parseProxies(text: string): number | string[] {
  if (/^\d+$/.test(text)) return parseInteger(text, 0, 16);
  if (/^[a-z]+$/i.test(text)) return parseBoolean(text) ? 1 : 0;
  const blocks = parseList(text);
  const bad = blocks.find((block) => !isBlock(block));
  if (bad !== undefined || blocks.length === 0) {
    throw new Error(`"${bad ?? text}" is neither true, a number of proxies nor an address like 10.0.0.7 or 10.0.0.0/8`);
  }
  return blocks;
}

function isBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d*$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** Separated by commas or blanks. */
export function parseList(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '');
}

/** Words, separated by blanks; those in quotes keep their blanks. There is no shell: nothing else has a meaning. */
export function parseCommand(text: string): string[] {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  if (words.length === 0 || /["']/.test(text.replace(/"[^"]*"|'[^']*'/g, ''))) {
    throw new Error(`"${text}" is not a command like /opt/segment --fast "with blanks"`);
  }
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double = '', single = '') => double + single));
}

export function parseWebUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new Error(`"${text}" is not an http or https URL`);
  return text;
}

/** A number with an optional unit; `bare` is what a missing unit counts as, null when one is needed. */
function parseUnits(text: string, units: Record<string, number>, bare: number | null): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  if (!match) return null;
  const unit = match[2] === '' ? bare : (units[(match[2] as string).toLowerCase()] ?? null);
  return unit === null ? null : Number(match[1]) * unit;
}
