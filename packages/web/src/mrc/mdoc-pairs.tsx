/** The pairs of an `.mdoc` file that this page does not know: of the whole file, and of its sections. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { PropertyTable } from '../library/property-table.tsx';
import { texts } from '../texts.ts';

/** Values of one key that are shown; a series may have thousands of sections. */
const SHOWN_VALUES = 200;
const words = texts.mdoc;

export function MdocPairs({ mdoc }: { mdoc: NonNullable<FileRecord['mdoc']> }) {
  const { other, section_pairs: pairs = {}, section_pairs_cut: isCut = false } = mdoc;
  const rows = [
    ...Object.entries(other),
    ...Object.entries(pairs).map(
      ([key, value]) => [key, typeof value === 'string' ? value : printValues(value)] as const,
    ),
  ];
  if (rows.length === 0 && !isCut) return null;
  return (
    <details className="mdoc-pairs">
      <summary>{words.pairs(rows.length)}</summary>
      {rows.length > 0 && <PropertyTable caption={words.pairsCaption} rows={rows} />}
      {isCut && <p className="faint">{words.pairsCut}</p>}
    </details>
  );
}

function printValues(values: readonly (string | null)[]): string {
  const shown = values.slice(0, SHOWN_VALUES).map((value) => value ?? words.noValue);
  const left = values.length - shown.length;
  return [...shown, ...(left > 0 ? [words.moreValues(left)] : [])].join(' · ');
}
