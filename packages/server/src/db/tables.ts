/** Rows as they lie in the database. Times are milliseconds since 1970, digests 32 bytes, JSON is text. */
import type { UploadState } from '@cryolift/protocol/states';
import type { Generated, Insertable, Selectable } from 'kysely';

interface UploadTable {
  id: string;
  owner: string;
  status: UploadState;
  filename: string;
  size: number;
  part_size: number;
  part_count: number;
  received_parts: number;
  received_bytes: number;
  /** Whole-file digest as the client declared it. */
  sha256: Uint8Array | null;
  fingerprint: string | null;
  metadata: string;
  mrc: string | null;
  warnings: string;
  /** 1: accept an MRC file whose header is rejected. */
  force: number;
  /** Chosen when verification begins, so that a publish cut off by a crash is found again. */
  file_id: string | null;
  /** {code, message, details} of what made it fail. */
  failure: string | null;
  /** 1: the system went down since its parts were recorded; they are hashed again before they are trusted. */
  must_recheck: number;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

interface PartTable {
  upload_id: string;
  idx: number;
  sha256: Uint8Array;
  stored_at: number;
}

interface FileTable {
  id: string;
  upload_id: string;
  owner: string;
  filename: string;
  size: number;
  sha256: Uint8Array;
  parts_sha256: Uint8Array;
  part_size: number;
  part_count: number;
  content_type: string;
  metadata: string;
  mrc: string | null;
  warnings: string;
  created_at: number;
  /** Set when deletion has begun: the record is gone for everybody, the bytes are being removed. */
  deleted_at: number | null;
}

interface IdempotencyTable {
  owner: string;
  key: string;
  /** SHA-256 of the request that used the key first. */
  request_sha256: Uint8Array;
  upload_id: string;
  created_at: number;
}

interface FactTable {
  name: string;
  value: string;
}

interface EventTable {
  /** Ascends in the order of commits; a number is never used twice. */
  seq: Generated<number>;
  /** Of the event as CloudEvents has it. */
  id: string;
  type: string;
  /** `uploads/ID` or `files/ID`. */
  subject: string;
  owner: string;
  time: number;
  /** JSON: the session or the file's record as it was then. */
  data: string;
}

export interface Tables {
  uploads: UploadTable;
  parts: PartTable;
  files: FileTable;
  idempotency_keys: IdempotencyTable;
  facts: FactTable;
  events: EventTable;
}

export type UploadRow = Selectable<UploadTable>;
export type PartRow = Selectable<PartTable>;
export type FileRow = Selectable<FileTable>;
export type EventRow = Selectable<EventTable>;
export type NewEvent = Insertable<EventTable>;
