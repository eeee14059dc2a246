/** A list of downloads: files that match a query, with paths that are safe below any folder. */

import { pathOf } from '@cryolift/protocol/file-path';
import { findFiles } from '../db/files.ts';
import type { LibraryQuery } from '../db/library/query.ts';
import { type Position, searchLibrary } from '../db/library/search.ts';
import type { FileContext } from './files.ts';
import { type StoredFile, toStoredFile } from './stored-file.ts';

/** Files per read. */
const BATCH = 250;
/** Devices of Windows, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?:\.|$)/i;
/** What Windows does not take in a name, and what turns or breaks a line of text. */
const UNSAFE = /[<>:"\\|?*\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** Of one name, on most file systems; bytes. */
const MAX_NAME_BYTES = 255;

/** Reads as it is iterated, a batch at a time. Files that are published or deleted meanwhile may be in it or not. */
export async function* listDownloads({ db }: FileContext, query: LibraryQuery): AsyncGenerator<StoredFile[]> {
  let after: Position | null = null;
  do {
    const found: Awaited<ReturnType<typeof searchLibrary>> = await searchLibrary(db, query, after, BATCH);
    yield (await findFiles(db, found.fileIds)).map(toStoredFile);
    after = found.next;
  } while (after !== null);
}

/** Where a file is stored below the folder of a download: relative, without `..`, with names that every system takes. */
export function safePathOf({ filename, record }: StoredFile): string {
  return pathOf(filename, record.metadata).split('/').map(toSafeName).join('/');
}

function toSafeName(name: string): string {
  const safe = name.replace(UNSAFE, '_').replace(/[. ]+$/, (end) => '_'.repeat(end.length));
  const short = cut(safe, MAX_NAME_BYTES - 1);
  return DEVICE.test(short) ? `_${short}` : short;
}

/** The end is kept: it has the extension. */
function cut(name: string, maxBytes: number): string {
  const letters = Array.from(name);
  while (Buffer.byteLength(letters.join('')) > maxBytes) letters.shift();
  return letters.join('');
}
