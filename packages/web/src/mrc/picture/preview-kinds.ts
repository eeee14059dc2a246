/** The kinds of previews that can be chosen for a file. */
import { defaultPreviews, type PreviewKind } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';

/** The first kind is shown first. */
export function previewKinds(mrc: NonNullable<FileRecord['mrc']>, filename: string): PreviewKind[] {
  const defaults = defaultPreviews(mrc, filename).map(({ kind }) => kind);
  const possible: PreviewKind[] =
    mrc.nz > 1 ? ['section', 'average', 'montage', 'spectrum', 'profile', 'means'] : ['section', 'spectrum', 'profile'];
  return [...new Set([...defaults, ...possible])];
}
