import { summariseDecoded } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';

/** The header that decides how a file is described and what pictures there are; null: no pixels can be read. */
export function shownHeader({ mrc, tiff }: Pick<FileRecord, 'mrc' | 'tiff'>): FileRecord['mrc'] {
  return mrc ?? (tiff ? (summariseDecoded(tiff) as FileRecord['mrc']) : null);
}
