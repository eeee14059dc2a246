/** Sizes, durations and numbers as people write them, in settings of the server and on the command line. */

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

/** The range of allowed values; `min` and `max` are written like the values. */
export interface Bounds {
  readonly kind: 'size' | 'duration' | 'number';
  readonly min: string;
  readonly max: string;
}

/**
 * `8MiB`, `1.1GiB`, `500MB`, or bytes (`size`); `30s`, `1.5h`, `7d` (`duration`); a whole number (`number`). A fraction
 * of a byte or a millisecond is rounded, and refused when the value is written in bytes or milliseconds.
 *
 * @returns bytes, milliseconds, or the number. @throws Error whose message names the expected form.
 */
export function parseBounded(text: string, { kind, min, max }: Bounds): number {
  const value = READERS[kind](text);
  if (value < READERS[kind](min) || value > READERS[kind](max))
    throw new Error(`${text} is not between ${min} and ${max}`);
  return value;
}

const READERS = {
  size(text: string): number {
    return readUnits(text, SIZE_UNITS, 1, `"${text}" is not a size like 8MiB, 500MB or 1000 (bytes)`);
  },
  duration(text: string): number {
    return readUnits(text, DURATION_UNITS, null, `"${text}" is not a duration like 500ms, 30s, 12h or 7d`);
  },
  number(text: string): number {
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new Error(`"${text}" is not a whole number`);
  },
};

/** @param bare the factor without a unit; null when a unit is required. */
function readUnits(text: string, units: Record<string, number>, bare: number | null, expected: string): number {
  const [, digits = '', fraction = '', unit = ''] = /^(\d+)(\.\d+)?\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = unit === '' ? bare : units[unit.toLowerCase()];
  if (digits === '' || !factor) throw new Error(expected);
  if (factor === 1 && fraction !== '')
    throw new Error(`${expected}: there is no part of ${units.b ? 'a byte' : '1 ms'}`);
  const value = Math.round(Number(digits + fraction) * factor);
  if (!Number.isSafeInteger(value)) throw new Error(`${expected}: it is greater than anything here can be`);
  return value;
}
