import type { ReceiptFile } from '../messages.ts';
import { canonicalJson } from './canonical.ts';

/** The canonical JSON of a list of files, in pieces: the list may be long. */
export function* filesText(files: Iterable<ReceiptFile>): Generator<string> {
  let before = '[';
  for (const file of files) {
    yield before + canonicalJson(file);
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

/** In the order of a receipt: by path in the order of UTF-16 code units, then by id. */
export function compareFiles(
  a: Pick<ReceiptFile, 'path' | 'file_id'>,
  b: Pick<ReceiptFile, 'path' | 'file_id'>,
): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.file_id < b.file_id ? -1 : Number(a.file_id > b.file_id);
}
