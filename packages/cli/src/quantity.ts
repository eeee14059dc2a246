/** What is given on the command line, parsed. Each throws UsageError for what it cannot read. */
import { UsageError } from './exit.ts';

const SIZE = /^(\d+(?:\.\d+)?)\s*(b|kib|mib|gib|tib)?$/i;
const UNITS = ['b', 'kib', 'mib', 'gib', 'tib'];
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const LONGEST_LINK_DAYS = 30;

/** `16MiB`, or bytes. @returns bytes. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const bytes = match ? Number(match[1]) * 1024 ** UNITS.indexOf((match[2] ?? 'b').toLowerCase()) : Number.NaN;
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new UsageError(`"${text}" is not a size like 16MiB`);
  return bytes;
}

/** `30s`, `12h`, `7d`. @returns seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  const seconds = match ? Number(match[1]) * (SECONDS[match[2] as string] as number) : Number.NaN;
  if (!(seconds >= 1)) throw new UsageError(`"${text}" is not a duration like 30s, 12h or 7d`);
  return seconds;
}

/** How long an upload link is good for: what servers allow. @returns seconds. */
export function parseLinkLife(text: string): number {
  const seconds = parseDuration(text);
  if (seconds > LONGEST_LINK_DAYS * 86_400)
    throw new UsageError(`"${text}" is more than ${LONGEST_LINK_DAYS}d, the most`);
  return seconds;
}

/** A whole number from 1 to `max`. */
export function parseCount(text: string, max: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= max)) throw new UsageError(`"${text}" is not a whole number from 1 to ${max}`);
  return count;
}

/** The number of an event, from 0. */
export function parseSeq(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`"${text}" is not the number of an event`);
  return Number(text);
}

/** Bytes per second of a scrub: `50MiB`, 1 MiB at least. */
export function parseScrubRate(text: string): number {
  const bytes = parseSize(text);
  if (bytes < 1024 * 1024) throw new UsageError(`"${text}" is below 1MiB, the least`);
  return bytes;
}

/** Adds `key=value` to those given before. */
export function collectPair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`"${text}" is not of the form key=value`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Adds one to those given before. */
export function collectText(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
