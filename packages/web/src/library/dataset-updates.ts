/**
 * Datasets in the query cache, which are read again after events. Many files may arrive each second: a record is read at
 * most once a second, and lists and comparisons, which cost the server more, less often.
 */
import type { QueryClient } from '@tanstack/react-query';

/** The first item of the key of a record, of a comparison with what is expected (the id follows), and of lists. */
export const DATASET_KEY = 'dataset';
export const CHECK_KEY = 'dataset-check';
export const DATASETS_KEY = 'datasets';
/** Of the pushes of a dataset; its id follows. */
export const PUSHES_KEY = 'dataset-pushes';

/** The least time between two requests. */
const RECORD_MS = 1_000;
const LISTS_MS = 2_000;
const CHECK_MS = 5_000;
/** Changes that come together are read together. */
const SOON_MS = 20;

type Key = readonly string[];

export class DatasetUpdates {
  readonly #queries: QueryClient;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** When each was read last, milliseconds since 1970. */
  readonly #lastMs = new Map<string, number>();

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  /** A dataset, or what it has, has changed. */
  changed(id: string): void {
    this.#later([DATASET_KEY, id], RECORD_MS);
    this.#later([CHECK_KEY, id], CHECK_MS);
    this.#later([PUSHES_KEY, id], RECORD_MS);
    this.#later([DATASETS_KEY], LISTS_MS);
  }

  /** Events may have been missed. */
  refresh(): void {
    for (const key of [DATASET_KEY, CHECK_KEY, DATASETS_KEY, PUSHES_KEY]) {
      void this.#queries.invalidateQueries({ queryKey: [key] });
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #later(key: Key, ms: number): void {
    const name = key.join(' ');
    if (this.#timers.has(name)) return;
    const waitMs = Math.max(SOON_MS, (this.#lastMs.get(name) ?? 0) + ms - Date.now());
    this.#timers.set(
      name,
      setTimeout(() => this.#read(key, ms), waitMs),
    );
  }

  #read(key: Key, ms: number): void {
    const name = key.join(' ');
    this.#timers.delete(name);
    this.#lastMs.set(name, Date.now());
    // An answer that is under way may be older than the change. It is not cancelled: a slow server would never answer.
    if (this.#queries.isFetching({ queryKey: key }) > 0) this.#later(key, ms);
    else void this.#queries.invalidateQueries({ queryKey: key });
  }
}
