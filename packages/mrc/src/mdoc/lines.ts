/** The lines of an `.mdoc` file. */

/** A larger file is not read. */
export const MAX_MDOC_BYTES = 4 * 1024 * 1024;
/** Characters of a value. */
export const MAX_VALUE = 2_000;

export type MdocLine =
  /** `[T = …]`. */
  | { readonly kind: 'title'; readonly text: string }
  /** `[ZValue = 0]`: pairs that follow are of it. */
  | { readonly kind: 'section'; readonly type: string; readonly name: string }
  /** Of any length. */
  | { readonly kind: 'pair'; readonly key: string; readonly value: string }
  /** The text has more than is read. */
  | { readonly kind: 'cut' };

/** Empty lines, comments and lines of no form are left out. */
export function* linesOf(text: string): Generator<MdocLine> {
  for (const line of text.slice(0, MAX_MDOC_BYTES).split(/\r\n|\n|\r/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const start = readBrackets(trimmed);
    if (start) {
      yield start.type === 'T' ? { kind: 'title', text: start.name } : { kind: 'section', ...start };
      continue;
    }
    const equals = trimmed.indexOf('=');
    if (equals <= 0) continue;
    yield { kind: 'pair', key: trimmed.slice(0, equals).trim(), value: trimmed.slice(equals + 1).trim() };
  }
  if (text.length > MAX_MDOC_BYTES) yield { kind: 'cut' };
}

/** `[type = name]`; null for another line. Without a pattern, which could take long for a line of blanks. */
function readBrackets(line: string): { type: string; name: string } | null {
  const equals = line.indexOf('=');
  if (!line.startsWith('[') || !line.endsWith(']') || equals < 0 || line.length > MAX_VALUE) return null;
  return { type: line.slice(1, equals).trim(), name: line.slice(equals + 1, -1).trim() };
}
