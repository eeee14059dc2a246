/** What a running `cryolift watch --config` reports of itself, for `watch status` and other programs. */

/** A cause and what to do, as in the error envelope. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export type FolderState =
  /** It has not been read yet. */
  | 'starting'
  /** Everything in it is uploaded. */
  | 'idle'
  /** Files must settle first. */
  | 'waiting'
  | 'uploading'
  | 'problem';

export interface FolderReport {
  readonly folder: string;
  readonly state: FolderState;
  /** Numbers of files: to be uploaded, being uploaded, uploaded since the start, failed, refused by the server. */
  readonly waiting: number;
  readonly uploading: number;
  readonly done: number;
  readonly failed: number;
  readonly refused: number;
  /** Entries that cannot be read, or whose names cannot be sent. */
  readonly unreadable: number;
  readonly bytes_per_second: number;
  /** On the disk of the folder; null: not known, as in reports of earlier versions, which do not have it. */
  readonly free_bytes: number | null;
  /** RFC 3339: when that disk is predicted to be full; null: it does not fill, or that is not known. */
  readonly disk_full_at: string | null;
  /** RFC 3339: the last time at which there was something to upload; null: not since the start. */
  readonly active_at: string | null;
  readonly last_success: { readonly path: string; readonly at: string } | null;
  readonly last_error: (Problem & { readonly path: string | null; readonly at: string }) | null;
  /** Why the state is `problem`; otherwise null. */
  readonly problem: Problem | null;
}

export interface WatchReport {
  /** Of this format. */
  readonly version: 1;
  readonly pid: number;
  /** The settings file. */
  readonly config: string;
  /** RFC 3339, as `written_at`. */
  readonly started_at: string;
  readonly written_at: string;
  readonly folders: readonly FolderReport[];
}
