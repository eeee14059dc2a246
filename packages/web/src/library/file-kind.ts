/** The kind of a file in lists. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { MRC_KINDS } from '@cryolift/protocol/mrc-kinds';

/** `mdoc`: session data of a microscope; `other`: no header that can be read. */
type FileKind = (typeof MRC_KINDS)[number] | 'mdoc' | 'other';

export function kindOf({ mrc, tiff, mdoc, file_id }: Pick<FileRecord, 'mrc' | 'tiff' | 'mdoc' | 'file_id'>): FileKind {
  if (mrc) return mrc.kind;
  if (tiff) return tiff.kind;
  return mdoc && mdoc.file_id === file_id ? 'mdoc' : 'other';
}
