/**
 * The lists of files in the query cache, and how events change them. Many files may arrive each second: a list is changed
 * at most once a second, and not while the user is at work in it.
 */
import type { FilePage, FileRecord } from '@cryolift/protocol/messages';
import type { InfiniteData, Query, QueryClient } from '@tanstack/react-query';
import { Cell } from '../../cell.ts';
import { recordUpdate, updatesSince, wasDeleted } from '../updates.ts';
import { isListed, type LibraryState, stateOfKey } from './library-state.ts';

export type FilePages = InfiniteData<FilePage, string | undefined>;

export const FILES_KEY = ['files'] as const;
export const TREE_KEY = ['tree'] as const;

/** Least time between two changes of a list by files that arrived. */
const ARRIVALS_MS = 1_000;
/** Changes that come together are made together. */
const SOON_MS = 20;
/** Least time between two deletions in a list. */
const DELETIONS_MS = 250;
/** Least time between two requests for the sums of the folders. */
const TREE_MS = 2_000;

export class FileLists {
  /** How many files have arrived that the list on the screen should have, and has not yet. */
  readonly waiting = new Cell(0);
  readonly #queries: QueryClient;
  readonly #arrived = new Map<string, FileRecord>();
  readonly #deleted = new Set<string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** When each kind of change was made last, milliseconds since 1970. */
  readonly #lastMs = new Map<string, number>();
  #shown: string | null = null;
  #isHeld = false;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  /** @param key of the list on the screen; null: none. */
  show(key: string | null): void {
    this.#shown = key;
    this.#countWaiting();
  }

  /** @param isHeld the user is at work in the list: files that arrive wait. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (!isHeld && this.#arrived.size > 0) this.#later('arrivals', 0, () => this.#insert());
  }

  /** Adds the files that wait to the list on the screen. */
  insertWaiting(): void {
    this.#insert(true);
  }

  /** A record that is newer than the lists. */
  put(file: FileRecord): void {
    const { file_id: id } = file;
    // This answer is older than the deletion.
    if (wasDeleted(this.#queries, id)) return;
    recordUpdate(this.#queries, 'file', id, file);
    this.#queries.setQueryData(['file', id], file);
    let isKnown = false;
    for (const list of this.#lists()) {
      if (!hasFile(list, id)) continue;
      isKnown = true;
      this.#change(list, (pages) => mapItems(pages, (item) => (item.file_id === id ? file : item)));
    }
    if (isKnown) return;
    this.#arrived.set(id, file);
    this.#later('arrivals', ARRIVALS_MS, () => this.#insert());
    this.#refreshTree();
  }

  drop(fileId: string): void {
    recordUpdate(this.#queries, 'file', fileId, null);
    this.#queries.removeQueries({ queryKey: ['file', fileId] });
    this.#arrived.delete(fileId);
    this.#deleted.add(fileId);
    this.#later('deletions', DELETIONS_MS, () => this.#remove());
    this.#refreshTree();
  }

  /** The record in a list. */
  find(fileId: string): FileRecord | undefined {
    for (const { state } of this.#lists()) {
      for (const { items } of state.data?.pages ?? []) {
        const found = items.find(({ file_id }) => file_id === fileId);
        if (found) return found;
      }
    }
    return undefined;
  }

  /** Whether a list, or the view of one file, shows it. */
  has(fileId: string): boolean {
    return (
      this.#arrived.has(fileId) || this.#queries.getQueryData(['file', fileId]) !== undefined || !!this.find(fileId)
    );
  }

  /** Events may have been missed: the lists are read again when they are shown. */
  refresh(): void {
    void this.#queries.invalidateQueries({ queryKey: FILES_KEY });
    void this.#queries.invalidateQueries({ queryKey: TREE_KEY });
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#arrived.clear();
    this.#deleted.clear();
    this.waiting.set(0);
  }

  #lists(): Query<FilePages>[] {
    const found = this.#queries.getQueryCache().findAll({ queryKey: FILES_KEY });
    return (found as unknown as Query<FilePages>[]).filter(({ state }) => state.data !== undefined);
  }

  #change(list: Query<FilePages>, change: (pages: FilePages) => FilePages): void {
    this.#queries.setQueryData<FilePages>(list.queryKey, (pages) => pages && change(pages));
  }

  #insert(isAsked = false): void {
    for (const list of this.#lists()) {
      const key = keyOf(list);
      const isShown = key === this.#shown;
      if (isShown && this.#isHeld && !isAsked && !isEmpty(list)) continue;
      const fresh = this.#freshFor(list);
      if (fresh.length === 0) continue;
      if (stateOfKey(key).sort === 'newest') this.#change(list, (pages) => prepend(pages, fresh));
      else if (isShown) this.#readFirstPage(list);
      else this.#queries.removeQueries({ queryKey: list.queryKey, exact: true });
    }
    this.#countWaiting();
    if (this.waiting.value === 0) this.#arrived.clear();
  }

  /** The files that arrived and belong into this list, newest first. */
  #freshFor(list: Query<FilePages>): FileRecord[] {
    const state = stateOfKey(keyOf(list));
    const fresh = [...this.#arrived.values()].filter((file) => isListed(file, state) && !hasFile(list, file.file_id));
    return fresh.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  }

  /** Only the server knows where the new files belong. */
  #readFirstPage({ queryKey }: Query<FilePages>): void {
    this.#queries.setQueryData<FilePages>(
      queryKey,
      (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    this.#arrived.clear();
    void this.#queries.invalidateQueries({ queryKey, exact: true });
  }

  #countWaiting(): void {
    const shown = this.#lists().find((list) => keyOf(list) === this.#shown);
    this.waiting.set(shown ? this.#freshFor(shown).length : 0);
  }

  #remove(): void {
    const deleted = new Set(this.#deleted);
    this.#deleted.clear();
    for (const list of this.#lists()) {
      if ([...deleted].some((id) => hasFile(list, id))) this.#change(list, (pages) => without(pages, deleted));
    }
    this.#countWaiting();
  }

  #refreshTree(): void {
    this.#later('tree', TREE_MS, () => void this.#queries.invalidateQueries({ queryKey: TREE_KEY }));
  }

  /** Runs `act` soon, and at most once in `ms`. */
  #later(name: string, ms: number, act: () => void): void {
    if (this.#timers.has(name)) return;
    const run = () => {
      this.#timers.delete(name);
      this.#lastMs.set(name, Date.now());
      act();
    };
    const waitMs = Math.max(SOON_MS, (this.#lastMs.get(name) ?? 0) + ms - Date.now());
    this.#timers.set(name, setTimeout(run, waitMs));
  }
}

/** Applies the updates that came while a page was fetched: they are newer than the page. */
export function applyFileUpdates(
  queries: QueryClient,
  page: FilePage,
  { state, startedMs, isFirst }: { state: LibraryState; startedMs: number; isFirst: boolean },
): FilePage {
  const updates = updatesSince<FileRecord>(queries, 'file', startedMs);
  if (updates.size === 0) return page;
  const gone = page.items.filter(({ file_id }) => updates.get(file_id) === null).length;
  const items = page.items.flatMap((item) => {
    const update = updates.get(item.file_id);
    return update === null ? [] : [update ?? item];
  });
  const known = new Set(items.map(({ file_id }) => file_id));
  const newest = page.items[0]?.created_at ?? '';
  const fresh =
    isFirst && state.sort === 'newest'
      ? [...updates.values()].filter(
          (file): file is FileRecord =>
            !!file && !known.has(file.file_id) && file.created_at >= newest && isListed(file, state),
        )
      : [];
  return { ...page, items: [...fresh.reverse(), ...items], total: page.total - gone + fresh.length };
}

function keyOf({ queryKey }: Query<FilePages>): string {
  return String(queryKey[1]);
}

function isEmpty({ state }: Query<FilePages>): boolean {
  return state.data?.pages.every(({ items }) => items.length === 0) ?? true;
}

function hasFile({ state }: Query<FilePages>, fileId: string): boolean {
  return state.data?.pages.some(({ items }) => items.some(({ file_id }) => file_id === fileId)) ?? false;
}

function mapItems(pages: FilePages, change: (item: FileRecord) => FileRecord): FilePages {
  return { ...pages, pages: pages.pages.map((page) => ({ ...page, items: page.items.map(change) })) };
}

function prepend(data: FilePages, fresh: readonly FileRecord[]): FilePages {
  const [first, ...others] = data.pages;
  if (!first) return data;
  const pages = [{ ...first, items: [...fresh, ...first.items], total: first.total + fresh.length }, ...others];
  return { ...data, pages };
}

function without(data: FilePages, deleted: ReadonlySet<string>): FilePages {
  let removed = 0;
  const pages = data.pages.map((page) => {
    const items = page.items.filter(({ file_id }) => !deleted.has(file_id));
    removed += page.items.length - items.length;
    return items.length === page.items.length ? page : { ...page, items };
  });
  // The first page says how many there are.
  return { ...data, pages: pages.map((page, at) => (at === 0 ? { ...page, total: page.total - removed } : page)) };
}
