/** Which files are selected. */

/** What is known of a selected file, also when its record is not loaded. */
export interface Selected {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}

export interface Selection {
  readonly files: ReadonlyMap<string, Selected>;
  /** The file from which a range begins; null: none. */
  readonly anchor: string | null;
}

export const NOTHING_SELECTED: Selection = { files: new Map(), anchor: null };

/** Selects a file, or takes it out. */
export function toggle({ files }: Selection, file: Selected): Selection {
  const next = new Map(files);
  if (!next.delete(file.id)) next.set(file.id, file);
  return { files: next, anchor: file.id };
}

/** Adds all files between the anchor and a file, both included. Without an anchor in the list, only the file. */
export function extend({ files, anchor }: Selection, list: readonly Selected[], to: number): Selection {
  const target = list[to];
  if (!target) return { files, anchor };
  const from = list.findIndex(({ id }) => id === anchor);
  const [start, end] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
  return { files: added(files, list.slice(start, end + 1)), anchor: from < 0 ? target.id : anchor };
}

export function selectAll({ files, anchor }: Selection, list: readonly Selected[]): Selection {
  return { files: added(files, list), anchor };
}

export function deselect({ files, anchor }: Selection, ids: Iterable<string>): Selection {
  const next = new Map(files);
  for (const id of ids) next.delete(id);
  return { files: next, anchor };
}

export function sizeOf({ files }: Selection): number {
  let bytes = 0;
  for (const { size } of files.values()) bytes += size;
  return bytes;
}

function added(files: Selection['files'], more: readonly Selected[]): Selection['files'] {
  const next = new Map(files);
  for (const file of more) next.set(file.id, file);
  return next;
}
