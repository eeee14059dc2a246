/** What systemd makes of a unit and of the environment file that it names (systemd.exec, EnvironmentFile=). */

/** Of a unit: the values of each key, in order; an empty value takes away those before. */
export function parseUnit(text: string): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || /^[#;[]/.test(line)) continue;
    const [, key = '', value = ''] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    keys.set(key, value === '' ? [] : [...(keys.get(key) ?? []), value]);
  }
  return keys;
}

const BLANKS = ' \t\n\r';
const LINE_ENDS = '\n\r';
/** In double quotes a backslash stands only before these; before others it is a backslash. */
const ESCAPED = '"\\`$';

/**
 * Of an environment file. A comment is a line that begins with # or ;. Elsewhere # is a character like others: there are
 * no comments behind values. Values go to the end of the line, without the blanks around them, or are in quotes.
 */
export function parseEnvironment(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  let at = 0;
  const peek = () => text[at] ?? '';
  const ends = () => at >= text.length || LINE_ENDS.includes(peek());

  while (at < text.length) {
    if (BLANKS.includes(peek())) at++;
    else if ('#;'.includes(peek())) skipComment();
    else readAssignment();
  }
  return variables;

  function skipComment(): void {
    while (!ends()) at += peek() === '\\' ? 2 : 1;
  }

  function readAssignment(): void {
    let key = '';
    while (!ends() && peek() !== '=') key += text[at++];
    // A line without = is ignored.
    if (ends()) return;
    at++;
    variables[key.trimEnd()] = readValue();
  }

  /** Pieces in quotes follow one another without the blanks between them; what is not in quotes ends with the line. */
  function readValue(): string {
    let value = '';
    while (!ends()) {
      const quote = peek();
      if (BLANKS.includes(quote)) at++;
      else if (quote === "'" || quote === '"') value += readQuoted(quote);
      else return value + readBare();
    }
    return value;
  }

  function readQuoted(quote: string): string {
    let value = '';
    for (at++; at < text.length && peek() !== quote; at++) {
      if (quote === "'" || peek() !== '\\') value += peek();
      else {
        at++;
        if (ESCAPED.includes(peek())) value += peek();
        else if (peek() !== '\n') value += `\\${peek()}`;
      }
    }
    at++;
    return value;
  }

  function readBare(): string {
    let value = '';
    // Up to here, blanks at the end belong to the value.
    let kept = 0;
    while (!ends()) {
      if (peek() === '\\') {
        at++;
        if (!ends()) value += peek();
        at++;
        kept = value.length;
      } else {
        value += text[at++];
        if (!BLANKS.includes(value.at(-1) as string)) kept = value.length;
      }
    }
    return value.slice(0, kept);
  }
}
