/** The rows of datasets, in the form of `db/tables.ts`. */
import type { DatasetState } from '@cryolift/protocol/dataset-states';
import type { PushState } from '@cryolift/protocol/messages';

/** Files that belong together, as those of a session at a microscope. */
export interface DatasetTable {
  id: string;
  owner: string;
  /** Of one owner, no two that are not being deleted have the same. */
  name: string;
  state: DatasetState;
  /** Project or proposal. */
  project: string | null;
  instrument: string | null;
  /** JSON: free fields. */
  fields: string;
  /** Name, project, instrument and fields as `foldText` makes them. */
  text: string;
  /** Number and bytes of its files; changed in the transactions that change `files`. */
  files: number;
  bytes: number;
  /** How many files it is to have; null: not said. */
  expected_files: number | null;
  /** Rows of `expected` that a client has announced. */
  announced: number;
  /** 1: it is completed when the last missing file has arrived. */
  complete_when_whole: number;
  quota_bytes: number | null;
  /** From its completion until it expires; null: never. */
  retention_ms: number | null;
  /** How long before it expires its owner is warned; null: the default. */
  warn_ms: number | null;
  /** From the last file, or from when it was opened, until it is said to be silent; null: never. */
  silent_after_ms: number | null;
  created_at: number;
  /** When it last changed, but for its files. */
  updated_at: number;
  /** When it was made, or opened again. */
  opened_at: number;
  first_arrival_at: number | null;
  last_arrival_at: number | null;
  /** When it was said to be silent; null: a file has arrived since, or it is not. */
  silent_at: number | null;
  completed_at: number | null;
  released_at: number | null;
  /** Null: never, or it is open. */
  expires_at: number | null;
  /** When its owner is warned that it expires; null: was warned, or it does not expire. */
  warn_at: number | null;
  /** JSON {at, by, missing}: it was completed although it was not whole. Kept for ever. */
  forced: string | null;
  /** Set when the deletion starts: callers no longer see it, and a job deletes its files. */
  deleted_at: number | null;
}

/** What a server had of a dataset, signed. */
export interface ReceiptTable {
  id: string;
  dataset_id: string;
  /** `previous`: of the server that had the files before. */
  kind: 'issued' | 'previous';
  /** The completion that it was made for; null: on demand, or `previous`. */
  completed_at: number | null;
  created_at: number;
  /** Canonical JSON: `ReceiptDocument`; of `previous` without the list of files. */
  document: string;
}

/** A file that a dataset is to have. */
export interface ExpectedTable {
  dataset_id: string;
  /** The file that names it, such as an `.mdoc` file; empty: a client has announced it. */
  source: string;
  /** What `sought` is: a `path`, a `name` in any folder, the beginning of a name (`stem`), the name of a `series`. */
  how: 'path' | 'name' | 'stem' | 'series';
  /** As in `library`. */
  sought: string;
  /** For people. */
  path: string;
  /** Null: any. */
  size: number | null;
  sha256: Uint8Array | null;
  /** Of a series, by its `.mdoc` file; null: any. */
  sections: number | null;
}

/** Copies of a dataset at one place of a destination. */
export interface PushTable {
  id: string;
  dataset_id: string;
  owner: string;
  /** Name of the destination in the settings. */
  destination: string;
  /** That the caller has asked for, below the destination. */
  folder: string;
  /** The folder of the dataset in it, or its name there: as it was named when it was first pushed. */
  place: string;
  state: PushState;
  /** The receipt whose files are sent; null: not begun since it was asked for. */
  receipt_id: string | null;
  files: number | null;
  bytes: number | null;
  files_done: number;
  bytes_done: number;
  /** Attempts since a file was finished. */
  attempts: number;
  error: string | null;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
}

/** How far a file of a push is. */
export interface PushedFileTable {
  push_id: string;
  file_id: string;
  /** 1: it is there and was verified. */
  is_done: number;
  /** What the destination needs to go on with it. */
  progress: string | null;
}
