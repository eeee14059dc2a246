/** Which files somebody looks for. */
import type { FileRecord } from '@cryolift/protocol/messages';

export const KINDS = ['image', 'stack', 'volume', 'volume_stack', 'other'] as const;

/** Every word must be in the name, the metadata, the labels, or begin the digest. @param kind '': any. */
export function matches(file: FileRecord, search: string, kind: string): boolean {
  if (kind !== '' && (file.mrc?.kind ?? 'other') !== kind) return false;
  const text = [file.filename, ...Object.values(file.metadata), ...(file.mrc?.labels ?? [])].join('\n').toLowerCase();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.includes(word) || file.sha256.startsWith(word));
}
