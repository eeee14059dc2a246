/** Which files somebody looks for. */
import type { FileRecord } from '@cryolift/protocol/messages';

export const KINDS = ['image', 'stack', 'volume', 'volume_stack', 'other'] as const;

/** Every word must be in the name, the metadata, the labels, or begin the digest. @param kind '': any. */
export function matches(file: FileRecord, search: string, kind: string): boolean {
  if (kind !== '' && (file.mrc?.kind ?? 'other') !== kind) return false;
  const text = textOf(file);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.includes(word) || file.sha256.startsWith(word));
}

const texts = new WeakMap<FileRecord, string>();

/** Made once for each record: a list is searched anew with each page and each letter. */
function textOf(file: FileRecord): string {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const text = [file.filename, ...Object.values(file.metadata), ...(file.mrc?.labels ?? [])].join('\n').toLowerCase();
  texts.set(file, text);
  return text;
}
