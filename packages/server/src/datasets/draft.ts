/** The row of a new dataset, from what a client says. */
import { DATASET_LIMITS } from '@cryolift/protocol/dataset-limits';
import { UploadError } from '@cryolift/protocol/errors';
import type { DatasetRequest } from '@cryolift/protocol/messages';
import type { DatasetRow } from '../db/tables.ts';
import { textOf } from './record.ts';

const CONTROLS = /\p{Cc}/u;

/** In NFC. @throws UploadError `invalid_request` when it is no name of a dataset. */
export function readDatasetName(name: string): string {
  const read = name.toWellFormed().normalize('NFC');
  const isBounded = read.length > 0 && read.length <= DATASET_LIMITS.name;
  if (isBounded && read === read.trim() && !CONTROLS.test(read)) return read;
  throw new UploadError(
    'invalid_request',
    `The name of a dataset has 1 to ${DATASET_LIMITS.name} characters, no control characters, and no blanks at its ends.`,
  );
}

/** @throws UploadError `invalid_request` when the fields exceed the limits. */
export function printFields(fields: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(fields);
  const bytes = pairs.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (pairs.length <= DATASET_LIMITS.fields && bytes <= DATASET_LIMITS.fieldBytes) return JSON.stringify(fields);
  throw new UploadError(
    'invalid_request',
    `The dataset has ${pairs.length} fields of ${bytes} bytes; ${DATASET_LIMITS.fields} and ${DATASET_LIMITS.fieldBytes} are allowed.`,
  );
}

/** A text without characters that end lines; null: there is none. */
export function readText(text: string | null | undefined): string | null {
  return text?.toWellFormed().replace(/\p{Cc}/gu, ' ') ?? null;
}

/** @throws UploadError `invalid_request`. */
export function draftDataset(id: string, owner: string, request: DatasetRequest, nowMs: number): DatasetRow {
  const seen = {
    name: readDatasetName(request.name),
    project: readText(request.project),
    instrument: readText(request.instrument),
    fields: printFields(request.fields ?? {}),
  };
  return {
    id,
    owner,
    state: 'open',
    ...seen,
    text: textOf(seen),
    files: 0,
    bytes: 0,
    expected_files: request.expected_files ?? null,
    announced: 0,
    complete_when_whole: request.complete_when_whole ? 1 : 0,
    quota_bytes: request.quota_bytes ?? null,
    retention_ms: request.retention_seconds === undefined ? null : request.retention_seconds * 1000,
    warn_ms: request.warn_seconds === undefined ? null : request.warn_seconds * 1000,
    silent_after_ms: request.silent_after_seconds === undefined ? null : request.silent_after_seconds * 1000,
    created_at: nowMs,
    updated_at: nowMs,
    opened_at: nowMs,
    first_arrival_at: null,
    last_arrival_at: null,
    silent_at: null,
    completed_at: null,
    released_at: null,
    expires_at: null,
    warn_at: null,
    forced: null,
    deleted_at: null,
  };
}
