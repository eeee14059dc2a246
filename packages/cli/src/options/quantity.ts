/** Parsers of option values. Each throws UsageError for an invalid value. */
import { type Bounds, parseBounded } from '@cryolift/protocol/quantity';
import { UsageError } from '../process/exit.ts';

/** @returns a parser for bytes, milliseconds or a number. Its bounds are written like the values. */
export function between(kind: Bounds['kind'], min: string, max: string): (text: string) => number {
  return (text) => {
    try {
      return parseBounded(text, { kind, min, max });
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  };
}

/** Like `between`, for a duration. @returns whole seconds. */
export function secondsBetween(min: string, max: string): (text: string) => number {
  const read = between('duration', min, max);
  return (text) => {
    const ms = read(text);
    if (ms % 1000 !== 0) throw new UsageError(`${text} is not a whole number of seconds`);
    return ms / 1000;
  };
}

/** A whole number from `min` to `max`. */
export function parseCount(text: string, max: number, min = 1): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= min && count <= max)) {
    throw new UsageError(`"${text}" is not a whole number from ${min} to ${max}`);
  }
  return count;
}

/** The number of an event, from 0. */
export function parseSeq(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`"${text}" is not the number of an event`);
  return Number(text);
}

/** Bytes per second of a scrub: `50MiB`, 1 MiB at least. */
export const parseScrubRate = between('size', '1MiB', '8191TiB');

/** Adds `key=value` to the earlier pairs. */
export function collectPair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`"${text}" is not of the form key=value`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Adds a value to the earlier ones. */
export function collectText(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
