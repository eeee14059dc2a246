/** Converts the row of a dataset to the message for clients, and to events. */
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { foldText } from '../db/library/entry.ts';
import type { DatasetRow } from '../db/tables.ts';
import { type DatasetEventName, datasetSubject, datasetType } from '../events/event.ts';
import type { OutboxEvent } from '../events/outbox.ts';

export function toDatasetRecord(row: DatasetRow): DatasetRecord {
  return {
    dataset_id: row.id,
    name: row.name,
    owner: row.owner,
    state: row.state,
    project: row.project,
    instrument: row.instrument,
    fields: JSON.parse(row.fields) as Record<string, string>,
    files: Number(row.files),
    bytes: Number(row.bytes),
    expected_files: row.expected_files,
    complete_when_whole: row.complete_when_whole === 1,
    quota_bytes: row.quota_bytes,
    retention_seconds: row.retention_ms === null ? null : row.retention_ms / 1000,
    warn_seconds: row.warn_ms === null ? null : row.warn_ms / 1000,
    silent_after_seconds: row.silent_after_ms === null ? null : row.silent_after_ms / 1000,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
    first_arrival_at: toTime(row.first_arrival_at),
    last_arrival_at: toTime(row.last_arrival_at),
    silent_at: toTime(row.silent_at),
    completed_at: toTime(row.completed_at),
    released_at: toTime(row.released_at),
    expires_at: toTime(row.expires_at),
    forced: row.forced === null ? null : (JSON.parse(row.forced) as DatasetRecord['forced']),
  };
}

/** @param row after the change. */
export function datasetEvent(name: DatasetEventName, row: DatasetRow, time: number): OutboxEvent {
  const { id, owner } = row;
  return {
    type: datasetType(name),
    subject: datasetSubject(id),
    owner,
    uploadId: null,
    time,
    data: toDatasetRecord(row),
  };
}

/** What searches look in. */
export function textOf({
  name,
  project,
  instrument,
  fields,
}: Pick<DatasetRow, 'name' | 'project' | 'instrument' | 'fields'>) {
  const pairs = Object.entries(JSON.parse(fields) as Record<string, string>).map(([key, value]) => `${key} ${value}`);
  return [name, project ?? '', instrument ?? '', ...pairs].map(foldText).join('\n');
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
