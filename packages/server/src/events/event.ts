/** What has happened, as CloudEvents 1.0 in JSON has it, and as server-sent events carry it. */
import { UPLOAD_STATES, type UploadState } from '@cryolift/protocol/states';
import type { EventRow, NewEvent } from '../db/tables.ts';

export const FILE_UPDATED = 'cryolift.file.updated';
export const FILE_PREVIEW_READY = 'cryolift.file.preview_ready';
/** The storage gives back other bytes than were published, or none. */
export const FILE_DAMAGED = 'cryolift.file.damaged';
/** The storage could not give back its bytes, which says nothing about them. */
export const FILE_UNREADABLE = 'cryolift.file.unreadable';
export const FILE_DELETED = 'cryolift.file.deleted';
/** A resuming init has changed its metadata. */
export const UPLOAD_UPDATED = 'cryolift.upload.updated';
export const UPLOAD_PREVIEW_READY = 'cryolift.upload.preview_ready';

/** Not kept, made for those who listen: how an upload stands, now that parts were stored, or at the begin of a stream. */
type LiveKind = 'progress' | 'snapshot';

/** What comes after these (a failed session that is cancelled or expires) only frees its bytes. */
const END_STATES: readonly UploadState[] = ['completed', 'failed', 'cancelled', 'expired'];
const END_TYPES: readonly string[] = END_STATES.map(stateType);
const STATE_TYPES: readonly string[] = [...UPLOAD_STATES.map(stateType), UPLOAD_UPDATED];

export function stateType(status: UploadState): string {
  return `cryolift.upload.${status === 'pending' ? 'created' : status}`;
}

export function uploadSubject(uploadId: string): string {
  return `uploads/${uploadId}`;
}

export function fileSubject(fileId: string): string {
  return `files/${fileId}`;
}

/** Who watches an upload has seen enough. */
export function isEnd(status: UploadState): boolean {
  return END_STATES.includes(status);
}

export function tellsEnd({ type }: EventRow): boolean {
  return END_TYPES.includes(type);
}

/** An event of the outbox. Its number lets a reader go on behind it (`Last-Event-ID`). */
export function printKept(row: EventRow, source: string): string {
  const name = STATE_TYPES.includes(row.type) ? 'state' : row.type.endsWith('.preview_ready') ? 'preview' : 'file';
  return `id: ${row.seq}\n${printEvent(name, row, source)}`;
}

/** How an upload stands. @param data JSON of the session. @param seq the last kept event that it has seen the effect of. */
export function printLive(kind: LiveKind, event: LiveEvent, source: string, seq: number): string {
  const name = kind === 'progress' ? 'progress' : 'state';
  return `id: ${seq}\n${printEvent(name, { ...event, type: `cryolift.upload.${kind}` }, source)}`;
}

type LiveEvent = Omit<NewEvent, 'type' | 'owner'>;

/** JSON has no line breaks of its own, so one `data:` line carries it. */
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
