/**
 * `.mdoc` files, which SerialEM and Thermo Fisher Tomography write beside a series: text in IMOD's autodoc format.
 * Pairs before the first section are of the whole file. A section begins with `[ZValue = 0]` (an image of a series) or
 * `[FrameSet = 0]` (a movie); `[T = …]` is a title.
 */

import { linesOf, MAX_VALUE } from './lines.ts';

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

const MAX_SECTIONS = 10_000;
const MAX_TITLES = 100;
/** Of a section, or of the whole file. */
const MAX_PAIRS = 200;
const MAX_KEY = 100;

/** Reads a text; what it does not know is kept or left out. Never throws. */
export function parseMdoc(text: string): Mdoc {
  const titles: string[] = [];
  const globals = new Map<string, string>();
  const sections: MdocSection[] = [];
  let pairs = globals;
  let isCut = false;
  for (const line of linesOf(text)) {
    if (line.kind === 'cut') isCut = true;
    else if (line.kind === 'title') {
      if (titles.length < MAX_TITLES) titles.push(line.text);
      else isCut = true;
    } else if (line.kind === 'section') {
      if (sections.length >= MAX_SECTIONS) {
        isCut = true;
        break;
      }
      pairs = new Map();
      sections.push({ type: line.type, name: line.name, pairs });
    } else {
      const { key, value } = line;
      const fits = key.length <= MAX_KEY && value.length <= MAX_VALUE && (pairs.has(key) || pairs.size < MAX_PAIRS);
      if (fits) pairs.set(key, value);
      else isCut = true;
    }
  }
  return { titles, globals, sections, isCut };
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
