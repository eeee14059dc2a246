/** The rows of the database. Times are milliseconds since 1970, digests 32 bytes, JSON is text. */

import type { UploadState } from '@cryolift/protocol/states';
import type { Generated, Insertable, Selectable } from 'kysely';
import type { AppendProtocol } from '../append-protocol.ts';
import type { DatasetTable, ExpectedTable, PushedFileTable, PushTable, ReceiptTable } from './datasets/tables.ts';

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
  /** Chosen when verification begins, so that a publish interrupted by a crash is found again. */
  file_id: string | null;
  /** {code, message, details} of the failure. */
  failure: string | null;
  /** 1: the system went down since its parts were recorded; they are hashed again before they are used. */
  must_recheck: number;
  /** The upload link with which it was started; null: a token. */
  link_id: string | null;
  /** The instrument, as the client names it; null: it does not. */
  instrument: string | null;
  /** The dataset that its file belongs to; null: none. */
  dataset_id: string | null;
  /** 1: a trial upload. It emits no event, publishes no file, and is deleted when it ends. */
  is_trial: number;
  /** 1: some part was sent through a server, which may have left bytes of any digest in the storage. */
  proxied: number;
  /** What the storage finds its bytes by: on S3 the id of the multipart upload; null: nothing, or it is not there yet. */
  storage_ref: string | null;
  /** The protocol that appends to it; null: its parts are sent one by one. */
  door: AppendProtocol | null;
  /** 1: a part of a later concatenation. It emits no event, is not listed, and publishes no file. */
  is_partial: number;
  /** 1: its length is not known. `size` is what was announced so far. */
  is_growing: number;
  /** Of a partial upload: the concatenation that takes its bytes; else null. */
  final_id: string | null;
  /** 0: quotas and links do not count it: the concatenation counts its bytes, or it is a copy that has failed. */
  is_counted: number;
  /** The file that it is a copy of: it has no parts. Null: it is none. */
  copied_from: string | null;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

interface PartTable {
  upload_id: string;
  idx: number;
  sha256: Uint8Array;
  /** What the storage finds its bytes by: on S3 the ETag; null: nothing. */
  receipt: string | null;
  stored_at: number;
}

/** A part for which URLs of the storage were signed: these bytes and no others can be stored with them. */
interface SignedPartTable {
  upload_id: string;
  idx: number;
  sha256: Uint8Array;
  /** When the last of its URLs expires. */
  expires_at: number;
}

/** What the protocol of an appended upload needs beside the upload. */
interface AppendTable {
  upload_id: string;
  /** Upload-Metadata of tus as it was sent; null: none. */
  raw_metadata: string | null;
  /** JSON: the ids of the uploads that are concatenated; null: none. */
  sources: string | null;
  /** Upload-Concat of a concatenation as it was sent, without queries; null: none. */
  concat: string | null;
  /** While the length is not known: the first bytes of an MRC file, which are checked again when it is. */
  header: Uint8Array | null;
  /** Appends in a row that ended before a byte was kept. */
  stalled: number;
}

/** Acknowledged bytes of an appended upload that are not a whole part yet. */
interface PieceTable {
  upload_id: string;
  /** In the upload, bytes. A piece never crosses the border of a part. */
  offset: number;
  length: number;
  sha256: Uint8Array;
  /** What the storage finds its bytes by; null: its place is enough. */
  receipt: string | null;
}

interface FileTable {
  id: string;
  upload_id: string;
  owner: string;
  filename: string;
  size: number;
  /** Plain digest of the whole; null until a job has read the file. */
  sha256: Uint8Array | null;
  parts_sha256: Uint8Array;
  part_size: number;
  part_count: number;
  content_type: string;
  metadata: string;
  mrc: string | null;
  warnings: string;
  /** JSON: the result of the analysis; null until it is known. */
  statistics: string | null;
  /** JSON: the structure of a TIFF, BigTIFF or EER file; null for other files. */
  tiff: string | null;
  /** JSON: what an `.mdoc` file says; null until it is read, and for other files. */
  mdoc: string | null;
  /** The name of the series that an `.mdoc` file names. */
  mdoc_image: string | null;
  /** The upload link with which it was uploaded; null: a token. */
  link_id: string | null;
  /** The instrument, as the client named it; null: it did not. `metadata.instrument` comes first. */
  instrument: string | null;
  /** The dataset that it belongs to; null: none. */
  dataset_id: string | null;
  /** The file that it is a copy of; null: it was uploaded. */
  copied_from: string | null;
  /** Of its bytes as they are stored, zstd frames; null: they are stored as they are. */
  compressed_size: number | null;
  compressed_sha256: Uint8Array | null;
  /** What the scrub that read it last found; null: nothing. */
  fault: 'damaged' | 'missing' | 'unreadable' | null;
  created_at: number;
  /** Set when the deletion starts: callers no longer see the record, and the bytes are being removed. */
  deleted_at: number | null;
}

/** What lists of files are searched and sorted by; one row for each file, written in the transactions that change `files`. */
interface LibraryTable {
  /** Ascends; never used twice. */
  id: Generated<number>;
  file_id: string;
  owner: string;
  /** Of its path, without a slash at the end; empty: none. At most 32 levels and 1,000 bytes. */
  folder: string;
  /** `metadata.path`, or else the name, as `cleanPath` makes it. */
  path: string;
  /** The name of the file as `foldText` makes it. */
  name: string;
  size: number;
  created_at: number;
  /** Of an MRC file; empty: another type. */
  kind: string;
  /** Empty: not known. */
  instrument: string;
  /** Path, name and metadata as `foldText` makes them. */
  text: string;
  /** The dataset that it belongs to; null: none. */
  dataset_id: string | null;
  /** Of the images in it, pixels; null: not known. */
  width: number | null;
  height: number | null;
  /** Sections or frames. */
  depth: number | null;
}

/** Sums of all files in a folder and in those below it; changed in the transactions that change `library`. */
interface FolderTable {
  owner: string;
  /** The path of the folder above; empty: there is none. */
  parent: string;
  name: string;
  files: number;
  bytes: number;
  /** When the newest of them was published. */
  newest: number;
}

/** Number and bytes of an owner's files, without files in deletion; changed in the transactions that change `files`. */
interface OwnerUsageTable {
  owner: string;
  files: number;
  bytes: number;
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
  /** Id of the CloudEvent. */
  id: string;
  type: string;
  /** `uploads/ID`, `files/ID` or `datasets/ID`. */
  subject: string;
  owner: string;
  time: number;
  /** JSON: the record of the upload or file after the change. */
  data: string;
}

/** An upload link: it permits to start uploads for its owner, and to work on those. */
interface LinkTable {
  id: string;
  owner: string;
  /** SHA-256 of the token; the token itself is not stored. */
  token_sha256: Uint8Array;
  /** Limit for all its uploads together; null: no limit. */
  max_bytes: number | null;
  max_files: number | null;
  /** What the link is for; null: nothing. */
  note: string | null;
  created_at: number;
  expires_at: number;
}

/** `waiting` and `running` are not done, the others have ended. */
export type JobStatus = 'waiting' | 'running' | 'done' | 'failed';

/** Work on a published file, or on a dataset. */
interface JobTable {
  id: string;
  kind: string;
  /** The file, or the dataset. */
  file_id: string;
  /** Of the file or dataset. */
  owner: string;
  status: JobStatus;
  /** How often it was started, without attempts that do not count. */
  attempts: number;
  /** Ascends with every attempt: a server that lost its lease does not end the job of another one. */
  fence: number;
  /** Not before this time. */
  run_at: number;
  /** While it runs: end of the lease. After this time its process counts as dead. */
  leased_until: number | null;
  /** JSON: how the last attempt ended. */
  outcome: string | null;
  created_at: number;
  updated_at: number;
}

/** An event that the webhook has not accepted yet. */
interface DeliveryTable {
  /** Of the event in the outbox. */
  seq: number;
  /** Events of one upload and its file are delivered in their order. */
  upload_id: string;
  /** Of the event; owners take turns. */
  owner: string;
  /** The CloudEvent as it is sent, JSON. */
  event: string;
  /** `dead`: not repeated, until an administrator sends it again. */
  status: 'waiting' | 'dead';
  attempts: number;
  next_at: number;
  /** `next_at` for the next delivery of an upload; null: others come before it, or it is dead. */
  due_at: number | null;
  created_at: number;
  /** The last error, for an administrator. */
  trouble: string | null;
}

/** What one server has for itself. */
interface LeaseTable {
  /** Of what is held: `part/UPLOAD/IDX`. */
  name: string;
  /** Names one taking of the lease; never comes again. */
  holder: string;
  /** By the clock of the database. After this time another holder may take it. */
  expires_at: number;
  /** The newest holder that waits for it and wants it to be given up; null: nobody asks. */
  successor: string | null;
}

export interface Tables {
  uploads: UploadTable;
  parts: PartTable;
  signed_parts: SignedPartTable;
  appends: AppendTable;
  pieces: PieceTable;
  files: FileTable;
  library: LibraryTable;
  folders: FolderTable;
  datasets: DatasetTable;
  expected: ExpectedTable;
  receipts: ReceiptTable;
  pushes: PushTable;
  pushed_files: PushedFileTable;
  owner_usage: OwnerUsageTable;
  idempotency_keys: IdempotencyTable;
  facts: FactTable;
  events: EventTable;
  links: LinkTable;
  jobs: JobTable;
  deliveries: DeliveryTable;
  leases: LeaseTable;
}

export type UploadRow = Selectable<UploadTable>;
export type PartRow = Selectable<PartTable>;
export type SignedPartRow = Selectable<SignedPartTable>;
export type AppendRow = Selectable<AppendTable>;
export type PieceRow = Selectable<PieceTable>;
export type FileRow = Selectable<FileTable>;
export type LibraryRow = Selectable<LibraryTable>;
export type DatasetRow = Selectable<DatasetTable>;
export type ReceiptRow = Selectable<ReceiptTable>;
export type PushRow = Selectable<PushTable>;
export type FolderRow = Selectable<FolderTable>;
export type EventRow = Selectable<EventTable>;
export type LinkRow = Selectable<LinkTable>;
export type JobRow = Selectable<JobTable>;
export type DeliveryRow = Selectable<DeliveryTable>;
export type LeaseRow = Selectable<LeaseTable>;
export type NewEvent = Insertable<EventTable>;
