import type { MdocSection } from './mdoc.ts';

/** The pairs of sections by their keys: one value when all sections have it, or those of each, null where it is missing. */
export type SectionPairs = Readonly<Record<string, string | readonly (string | null)[]>>;

/** Keys that a summary has by other names, section by section. */
const KNOWN: readonly string[] = ['TiltAngle', 'SubFramePath', 'ImageSize', 'PixelSpacing', 'Voltage'];
/** Characters of all keys and values together, so that a record stays small. */
const MAX_CHARACTERS = 65_536;

/**
 * @returns the pairs in the order in which their keys first appear. A key that does not fit any more is left out as a whole;
 *   `isCut` is true then.
 */
export function pairSections(images: readonly MdocSection[]): { pairs: SectionPairs; isCut: boolean } {
  const keys = new Set(images.flatMap(({ pairs }) => [...pairs.keys()]).filter((key) => !KNOWN.includes(key)));
  const kept: [string, SectionPairs[string]][] = [];
  let characters = 0;
  for (const key of keys) {
    const values = images.map(({ pairs }) => pairs.get(key) ?? null);
    const [first = null] = values;
    const shown = first !== null && values.every((value) => value === first) ? first : values;
    const size = key.length + sizeOf(shown);
    if (characters + size > MAX_CHARACTERS) continue;
    characters += size;
    kept.push([key, shown]);
  }
  return { pairs: Object.fromEntries(kept), isCut: kept.length < keys.size };
}

/** As many as in JSON, nearly. */
function sizeOf(value: SectionPairs[string]): number {
  if (typeof value === 'string') return value.length;
  return value.reduce((sum, each) => sum + (each?.length ?? 'null'.length) + 3, 0);
}
