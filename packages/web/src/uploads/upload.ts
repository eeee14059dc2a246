/** One upload of this page, as it is shown. */
import type { PartSet, Progress } from '@cryolift/client';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import type { HeaderCheck } from '../adding/header-check.ts';
import { readKey } from './upload-key.ts';
import { traitsOf, type UploadState } from './upload-states.ts';

/** Immutable: a change makes a new object. */
export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly path: string | null;
  /** Name of the dataset that its file is to belong to; null: none. */
  readonly dataset: string | null;
  readonly sizeBytes: number;
  readonly state: UploadState;
  readonly check: HeaderCheck | null;
  readonly received: ReceivedParts | null;
  readonly progress: Progress | null;
  readonly bytesPerSecond: number;
  readonly error: unknown;
  /** The server had parts of another file with the same name, size and time. */
  readonly hadOtherFile: boolean;
  readonly file: FileRecord | null;
  /** The browser can open the file again after a reload, with one click. */
  readonly hasHandle: boolean;
}

/** An upload of which only the file is known. */
export function newUpload(key: string, state: UploadState, hasHandle: boolean): Upload {
  return {
    key,
    ...readKey(key),
    state,
    hasHandle,
    dataset: null,
    check: null,
    received: null,
    progress: null,
    bytesPerSecond: 0,
    error: null,
    hadOtherFile: false,
    file: null,
  };
}

/** The parts that the server has received. */
export interface ReceivedParts {
  readonly uploadId: string;
  readonly storedBytes: number;
  readonly partCount: number;
  readonly partSizeBytes: number;
  readonly stored: PartSet;
  readonly underWay: PartSet;
}

export const NO_PARTS: PartSet = new Set<number>();

export function receivedOf({ upload, storedBytes, stored, underWay }: Progress): ReceivedParts | null {
  if (!upload) return null;
  const { upload_id: uploadId, part_count: partCount, part_size: partSizeBytes } = upload;
  return { uploadId, partCount, partSizeBytes, storedBytes, stored, underWay };
}

export function receivedInUpload(upload: UploadRecord): ReceivedParts {
  const missing = new Set(eachPart(upload.missing_parts));
  // A truncated list says nothing about the parts after its last range.
  const known = upload.missing_truncated ? (upload.missing_parts.at(-1)?.[1] ?? 0) : upload.part_count;
  const has = (idx: number) => idx < known && !missing.has(idx);
  return {
    uploadId: upload.upload_id,
    partCount: upload.part_count,
    partSizeBytes: upload.part_size,
    storedBytes: upload.received_bytes,
    stored: { has, size: upload.received_parts },
    underWay: NO_PARTS,
  };
}

/** It has failed, and the same file can be sent again. */
export function canRetry({ state, error }: Upload): boolean {
  return state === 'failed' && !hasChanged(error);
}

/** The file has changed since its upload started: only a new upload can send it. */
export function hasChanged(error: unknown): boolean {
  return (error as { code?: string } | null)?.code === 'source_changed';
}

/** Bytes are sent, or will be without an action of the user. */
export function isActive({ state }: Upload): boolean {
  return traitsOf(state).isActive;
}
