/** Lists of downloads, as the server prints them. */
import type { Selected } from './selection.ts';

/** @param text lines of JSON, one for each file. */
export function readEntries(text: string): Selected[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { file_id: id, path, size } = JSON.parse(line) as { file_id: string; path: string; size: number };
    return { id, name: path.slice(path.lastIndexOf('/') + 1), size };
  });
}

interface Download {
  readonly url: string;
  /** The URL with the options below it, for aria2. */
  readonly lines: string;
}

/** The downloads of an input file of aria2, by file id. */
export function readDownloads(text: string): Map<string, Download> {
  const found = new Map<string, Download>();
  for (const lines of text.split(/^(?=\S)/m)) {
    const [url = ''] = lines.split('\n');
    const id = /\/files\/([^/]+)\/content/.exec(url)?.[1];
    if (id !== undefined) found.set(decodeURIComponent(id), { url, lines });
  }
  return found;
}
