/** Events as CloudEvents 1.0 in JSON and as server-sent events. */
import { UPLOAD_STATES, type UploadState } from '@cryolift/protocol/states';
import type { EventRow, NewEvent } from '../db/tables.ts';

/** With the whole record; the event `completed` of its upload comes just before it. */
export const FILE_PUBLISHED = 'cryolift.file.published';
export const FILE_UPDATED = 'cryolift.file.updated';
/** Its SHA-256 is known now, which it was not when it was published. */
export const FILE_DIGEST_READY = 'cryolift.file.digest_ready';
export const FILE_PREVIEW_READY = 'cryolift.file.preview_ready';
/** The stored bytes differ from the published ones, or are missing. */
export const FILE_DAMAGED = 'cryolift.file.damaged';
/** The stored bytes could not be read; they may be intact. */
export const FILE_UNREADABLE = 'cryolift.file.unreadable';
/** Its bytes are stored compressed from now on. Paths of it have another extension. */
export const FILE_COMPRESSED = 'cryolift.file.compressed';
export const FILE_DELETED = 'cryolift.file.deleted';
/**
 * `created` by a call or by the first upload; `deleted` when its deletion begins; `receipt_ready`: the receipt of its
 * completion is signed; `silent`: it is open, and nothing has arrived for the time that it names; `expiring`: it expires
 * at `expires_at`; `pushed`, `push_failed`: a push has ended; the others are states.
 */
export type DatasetEventName =
  | 'created'
  | 'updated'
  | 'completed'
  | 'receipt_ready'
  | 'silent'
  | 'pushed'
  | 'push_failed'
  | 'reopened'
  | 'released'
  | 'expiring'
  | 'expired'
  | 'deleted';
const DATASET_TYPES = 'cryolift.dataset.';
/** A resuming init has changed its metadata. */
export const UPLOAD_UPDATED = 'cryolift.upload.updated';
export const UPLOAD_PREVIEW_READY = 'cryolift.upload.preview_ready';

/** Not stored, made for streams: the state of an upload after parts were stored, or at the start of a stream. */
type LiveKind = 'progress' | 'snapshot';

/** Later changes (a failed upload that is cancelled or expires) only free its bytes. */
const END_STATES: readonly UploadState[] = ['completed', 'failed', 'cancelled', 'expired'];
const END_TYPES: readonly string[] = END_STATES.map(stateType);
const STATE_TYPES: readonly string[] = [...UPLOAD_STATES.map(stateType), UPLOAD_UPDATED];

export function stateType(status: UploadState): string {
  return `cryolift.upload.${status === 'pending' ? 'created' : status}`;
}

export function uploadSubject(uploadId: string): string {
  return `uploads/${uploadId}`;
}

export function datasetSubject(datasetId: string): string {
  return `datasets/${datasetId}`;
}

export function fileSubject(fileId: string): string {
  return `files/${fileId}`;
}

/** True when the stream of an upload ends with this event. */
export function isEnd(status: UploadState): boolean {
  return END_STATES.includes(status);
}

export function isEndEvent({ type }: EventRow): boolean {
  return END_TYPES.includes(type);
}

/** An event of the outbox. A reader can continue after its number (`Last-Event-ID`). */
export function printKept(row: EventRow, source: string): string {
  return `id: ${row.seq}\n${printEvent(nameOf(row.type), row, source)}`;
}

function nameOf(type: string): string {
  if (STATE_TYPES.includes(type)) return 'state';
  if (type.startsWith(DATASET_TYPES)) return 'dataset';
  return type.endsWith('.preview_ready') ? 'preview' : 'file';
}

export function datasetType(name: DatasetEventName): string {
  return `${DATASET_TYPES}${name}`;
}

/** The state of an upload. @param data JSON of the upload. @param seq the last stored event that is included in it. */
export function printLive(kind: LiveKind, event: LiveEvent, source: string, seq: number): string {
  const name = kind === 'progress' ? 'progress' : 'state';
  return `id: ${seq}\n${printEvent(name, { ...event, type: `cryolift.upload.${kind}` }, source)}`;
}

type LiveEvent = Omit<NewEvent, 'type' | 'owner'>;

/** JSON has no line breaks, so it needs one `data:` line. */
function printEvent(name: string, event: Omit<NewEvent, 'owner'>, source: string): string {
  return `event: ${name}\ndata: ${toCloudEvent(event, source)}\n\n`;
}

/** CloudEvents 1.0 in JSON, in structured mode. */
export function toCloudEvent({ id, type, subject, time, data }: Omit<NewEvent, 'owner'>, source: string): string {
  const attributes = {
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: new Date(time).toISOString(),
    datacontenttype: 'application/json',
  };
  return `${JSON.stringify(attributes).slice(0, -1)},"data":${data}}`;
}
