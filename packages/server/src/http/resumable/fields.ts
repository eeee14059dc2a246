/** Structured fields (RFC 9651) of resumable uploads. A field that does not parse counts as not sent, as the draft says. */
import { type Dictionary, parseDictionary as parse, parseItem, serializeDictionary, Token } from 'structured-headers';

type FieldValue = string | string[] | undefined;

/** RFC 9651 section 3.3.1; the library takes a decimal such as `5.0` for an integer. */
const INTEGER = /^ *-?\d{1,15} *(?:;|$)/;
/** The largest Integer of RFC 9651. */
const MAX_INTEGER = 999_999_999_999_999;

/** @returns the value of an Item that is a Boolean; null for anything else. */
export function parseBoolean(value: FieldValue): boolean | null {
  const item = parseValue(value);
  return typeof item === 'boolean' ? item : null;
}

/** @returns the value of an Item that is an Integer, 0 or more; null for anything else. */
export function parseInteger(value: FieldValue): number | null {
  if (typeof value !== 'string' || !INTEGER.test(value)) return null;
  const item = parseValue(value);
  return typeof item === 'number' && item >= 0 ? item : null;
}

/** @returns the members by their names; null for what is no Dictionary. */
export function parseDictionary(value: FieldValue): Dictionary | null {
  if (typeof value !== 'string') return null;
  try {
    return parse(value);
  } catch {
    return null;
  }
}

export function printBoolean(value: boolean): string {
  return value ? '?1' : '?0';
}

/** @param members a text is printed as a Token, and numbers above the largest Integer as that one. */
export function printDictionary(members: Readonly<Record<string, number | string>>): string {
  const values = Object.entries(members).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.min(value, MAX_INTEGER) : new Token(value),
  ]);
  return serializeDictionary(Object.fromEntries(values));
}

function parseValue(value: FieldValue): unknown {
  if (typeof value !== 'string') return null;
  try {
    return parseItem(value)[0];
  } catch {
    return null;
  }
}
