import type { LibraryQuery } from './query.ts';

/** All files of ada, newest first, but for the changes. */
export function askLibrary(changes: Partial<LibraryQuery> = {}): LibraryQuery {
  return {
    owner: 'ada',
    words: [],
    prefix: '',
    folder: null,
    kind: null,
    instrument: null,
    dataset: null,
    minSize: null,
    maxSize: null,
    sinceMs: null,
    untilMs: null,
    sort: 'created_at',
    isDescending: true,
    ...changes,
  };
}
