/** What clients have been told, at one moment of the recording, as JSON. */

import type { Work } from '../crash-points/workload.ts';
import { Appended } from '../reliability/appended.ts';
import type { Entry, Ledger } from '../reliability/ledger.ts';

type SavedEntry = Pick<
  Entry,
  'plan' | 'upload' | 'completed' | 'cancelled' | 'deleted' | 'fileId' | 'failed' | 'left'
> & { readonly acknowledged: readonly number[] };

export interface SavedWork {
  readonly owner: string;
  readonly published: SavedEntry;
  readonly wrong: SavedEntry;
  readonly cancelled: SavedEntry;
  readonly deleted: SavedEntry;
  readonly empty: SavedEntry;
  readonly appended: SavedEntry;
  readonly appendedBytes: number;
}

export function saveWork({ owner, published, wrong, cancelled, deleted, empty, appended }: Work): SavedWork {
  return {
    owner,
    published: saveEntry(published),
    wrong: saveEntry(wrong),
    cancelled: saveEntry(cancelled),
    deleted: saveEntry(deleted),
    empty: saveEntry(empty),
    appended: saveEntry(appended.entry),
    appendedBytes: appended.acknowledgedBytes,
  };
}

/** @param ledger gets the entries. */
export function loadWork(saved: SavedWork, ledger: Ledger): Work {
  const load = (entry: SavedEntry) => loadEntry(entry, ledger);
  return {
    owner: saved.owner,
    published: load(saved.published),
    wrong: load(saved.wrong),
    cancelled: load(saved.cancelled),
    deleted: load(saved.deleted),
    empty: load(saved.empty),
    appended: new Appended(load(saved.appended), saved.appendedBytes),
  };
}

function saveEntry(entry: Entry): SavedEntry {
  const { plan, upload, completed, cancelled, deleted, fileId, failed, left } = entry;
  return { plan, upload, completed, cancelled, deleted, fileId, failed, left, acknowledged: [...entry.acknowledged] };
}

function loadEntry({ plan, acknowledged, ...saved }: SavedEntry, ledger: Ledger): Entry {
  const entry = Object.assign(ledger.open(plan), saved);
  for (const idx of acknowledged) ledger.notePart(entry, idx);
  return entry;
}
