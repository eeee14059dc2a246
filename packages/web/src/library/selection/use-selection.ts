/** The selection of the list on the screen. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useEffect, useMemo, useState } from 'react';
import { deselect, extend, NOTHING_SELECTED, type Selected, type Selection, selectAll, toggle } from './selection.ts';

export interface SelectionActions {
  readonly selection: Selection;
  toggle(file: FileRecord): void;
  /** Adds the files from the one that was toggled last to this index. */
  extend(files: readonly FileRecord[], to: number): void;
  /** A range begins at this file, unless one has begun. */
  start(file: FileRecord | undefined): void;
  selectAll(files: readonly FileRecord[]): void;
  /** Files whose records are not loaded. */
  add(files: readonly Selected[]): void;
  remove(ids: readonly string[]): void;
  clear(): void;
}

/** @param key of the list: another list begins without a selection. */
export function useSelection(key: string): SelectionActions {
  const [selection, setSelection] = useState(NOTHING_SELECTED);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key alone decides.
  useEffect(() => setSelection(NOTHING_SELECTED), [key]);
  return useMemo(
    () => ({
      selection,
      toggle: (file) => setSelection((now) => toggle(now, toSelected(file))),
      extend: (files, to) => setSelection((now) => extend(now, files.map(toSelected), to)),
      start: (file) => setSelection((now) => (now.anchor === null && file ? { ...now, anchor: file.file_id } : now)),
      selectAll: (files) => setSelection((now) => selectAll(now, files.map(toSelected))),
      add: (files) => setSelection((now) => selectAll(now, files)),
      remove: (ids) => setSelection((now) => deselect(now, ids)),
      clear: () => setSelection(NOTHING_SELECTED),
    }),
    [selection],
  );
}

function toSelected({ file_id: id, filename: name, size }: FileRecord): Selected {
  return { id, name, size };
}
