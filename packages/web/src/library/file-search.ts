/** The search in the list of files. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { MRC_KINDS } from '@cryolift/protocol/mrc-kinds';

/** `mdoc`: session data of a microscope; `other`: no header that can be read. */
export const FILE_KINDS = [...MRC_KINDS, 'mdoc', 'other'] as const;
type FileKind = (typeof FILE_KINDS)[number];

export function kindOf({ mrc, tiff, mdoc, file_id }: Pick<FileRecord, 'mrc' | 'tiff' | 'mdoc' | 'file_id'>): FileKind {
  if (mrc) return mrc.kind;
  if (tiff) return tiff.kind;
  return mdoc && mdoc.file_id === file_id ? 'mdoc' : 'other';
}

/**
 * Every word must be in the name, in a metadata value or in a label, or be the start of the digest.
 *
 * @param kind only files of this kind; '' for all.
 */
export function matches(file: FileRecord, search: string, kind: string): boolean {
  if (kind !== '' && kindOf(file) !== kind) return false;
  const text = textOf(file);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.includes(word) || file.sha256?.startsWith(word));
}

const searchTexts = new WeakMap<FileRecord, string>();

/** The text is made once per record: a list is searched again with each page and each letter typed. */
function textOf(file: FileRecord): string {
  const known = searchTexts.get(file);
  if (known !== undefined) return known;
  const text = [file.filename, ...Object.values(file.metadata), ...(file.mrc?.labels ?? [])].join('\n').toLowerCase();
  searchTexts.set(file, text);
  return text;
}
