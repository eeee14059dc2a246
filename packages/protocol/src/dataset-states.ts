/** States of a dataset (`state` in `docs/architecture/7-api-specifications.md`) and the allowed transitions. */

/**
 * `open`: files arrive. `complete`: all of them are there. `released`: they were handed over, and the source may be
 * emptied. `expired`: the retention is over, and its files are deleted.
 */
export const DATASET_STATES = ['open', 'complete', 'released', 'expired'] as const;
export type DatasetState = (typeof DATASET_STATES)[number];

export const DATASET_EVENTS = ['complete', 'reopen', 'release', 'expire'] as const;
export type DatasetEvent = (typeof DATASET_EVENTS)[number];

/** A complete table: a missing state or event does not compile. `null` means not allowed. */
const TRANSITIONS: Record<DatasetState, Record<DatasetEvent, DatasetState | null>> = {
  open: { complete: 'complete', reopen: null, release: null, expire: null },
  complete: { complete: null, reopen: 'open', release: 'released', expire: 'expired' },
  released: { complete: null, reopen: null, release: null, expire: 'expired' },
  expired: { complete: null, reopen: null, release: null, expire: null },
};

/** The state after `event`; null when `event` is not allowed in `state`. */
export function datasetAfter(state: DatasetState, event: DatasetEvent): DatasetState | null {
  return TRANSITIONS[state][event];
}

/** The state to which `event` leads, from wherever it is allowed. */
export function datasetTarget(event: DatasetEvent): DatasetState {
  const [target] = DATASET_STATES.flatMap((state) => TRANSITIONS[state][event] ?? []);
  return target as DatasetState;
}

/** The states in which `event` is allowed, for the WHERE of a guarded update. */
export function datasetStatesAllowing(event: DatasetEvent): DatasetState[] {
  return DATASET_STATES.filter((state) => TRANSITIONS[state][event] !== null);
}
