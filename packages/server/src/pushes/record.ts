/** Converts the row of a push to the message for clients, and to events. */
import type { PushRecord } from '@cryolift/protocol/messages';
import { datasetEvent, toDatasetRecord } from '../datasets/record.ts';
import type { DatasetRow, PushRow } from '../db/tables.ts';
import type { OutboxEvent } from '../events/outbox.ts';

export function toPushRecord(row: PushRow): PushRecord {
  const toCount = (count: number | null) => (count === null ? null : Number(count));
  return {
    push_id: row.id,
    dataset_id: row.dataset_id,
    destination: row.destination,
    folder: row.folder,
    state: row.state,
    files: toCount(row.files),
    bytes: toCount(row.bytes),
    files_done: Number(row.files_done),
    bytes_done: Number(row.bytes_done),
    error: row.error,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
    ended_at: row.ended_at === null ? null : new Date(row.ended_at).toISOString(),
  };
}

/** The record of the dataset, with the push as `push`. */
export function pushEvent(
  name: 'pushed' | 'push_failed',
  dataset: DatasetRow,
  push: PushRow,
  time: number,
): OutboxEvent {
  return { ...datasetEvent(name, dataset, time), data: { ...toDatasetRecord(dataset), push: toPushRecord(push) } };
}
