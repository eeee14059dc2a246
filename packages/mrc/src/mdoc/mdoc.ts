/**
 * `.mdoc` files, which SerialEM and Thermo Fisher Tomography write beside a series: text in IMOD's autodoc format.
 * Pairs before the first section are of the whole file. A section begins with `[ZValue = 0]` (an image of a series) or
 * `[FrameSet = 0]` (a movie); `[T = …]` is a title.
 */

export interface MdocSection {
  /** `ZValue`, `FrameSet`, `MontSection` or another. */
  readonly type: string;
  /** The value of its first line, such as the number of the image. */
  readonly name: string;
  /** Every pair, as text; the last of those with the same key. */
  readonly pairs: ReadonlyMap<string, string>;
}

export interface Mdoc {
  readonly titles: readonly string[];
  readonly globals: ReadonlyMap<string, string>;
  readonly sections: readonly MdocSection[];
  /** True when the text has more than the limits below allow; the rest was left out. */
  readonly isCut: boolean;
}

/** A larger file is not read. */
export const MAX_MDOC_BYTES = 4 * 1024 * 1024;
const MAX_SECTIONS = 10_000;
const MAX_TITLES = 100;
/** Of a section, or of the whole file. */
const MAX_PAIRS = 200;
const MAX_KEY = 100;
const MAX_VALUE = 2_000;

/** Reads a text; what it does not know is kept or left out. Never throws. */
export function parseMdoc(text: string): Mdoc {
  const titles: string[] = [];
  const globals = new Map<string, string>();
  const sections: MdocSection[] = [];
  let pairs = globals;
  let isCut = text.length > MAX_MDOC_BYTES;
  for (const line of text.slice(0, MAX_MDOC_BYTES).split(/\r\n|\n|\r/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const start = readBrackets(trimmed);
    if (start) {
      const { type, name } = start;
      if (type === 'T') {
        if (titles.length < MAX_TITLES) titles.push(name);
        else isCut = true;
      } else if (sections.length < MAX_SECTIONS) {
        pairs = new Map();
        sections.push({ type, name, pairs });
      } else {
        isCut = true;
        break;
      }
      continue;
    }
    const equals = trimmed.indexOf('=');
    if (equals <= 0) continue;
    const [key, value] = [trimmed.slice(0, equals).trim(), trimmed.slice(equals + 1).trim()];
    const fits = key.length <= MAX_KEY && value.length <= MAX_VALUE && (pairs.has(key) || pairs.size < MAX_PAIRS);
    if (fits) pairs.set(key, value);
    else isCut = true;
  }
  return { titles, globals, sections, isCut };
}

/** `[type = name]`; null for another line. Without a pattern, which could take long for a line of blanks. */
function readBrackets(line: string): { type: string; name: string } | null {
  const equals = line.indexOf('=');
  if (!line.startsWith('[') || !line.endsWith(']') || equals < 0 || line.length > MAX_VALUE) return null;
  return { type: line.slice(1, equals).trim(), name: line.slice(equals + 1, -1).trim() };
}

/** True for names that end in `.mdoc`. */
export function isMdocName(filename: string): boolean {
  return filename.toLowerCase().endsWith('.mdoc');
}

/** The text of a file, which is UTF-8 or, in old files, Latin-1. */
export function decodeMdoc(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('latin1').decode(bytes);
  }
}
