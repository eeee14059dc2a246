/** One upload of this page, as it is shown. */
import type { PartSet, Progress } from '@cryolift/client';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import type { HeaderCheck } from './header-check.ts';
import type { UploadState } from './upload-states.ts';

/** Never changed: another one takes its place. */
export interface Upload {
  /** Where the file lies, its size and its time: with another content it is another upload. */
  readonly key: string;
  readonly name: string;
  readonly path: string | null;
  readonly sizeBytes: number;
  readonly state: UploadState;
  readonly check: HeaderCheck | null;
  readonly arrived: Arrived | null;
  readonly progress: Progress | null;
  readonly bytesPerSecond: number;
  readonly error: unknown;
  /** What the server had looked like this file, and was of another one. */
  readonly hadOther: boolean;
  readonly file: FileRecord | null;
  /** One click goes on with it, although the page was loaded anew. */
  readonly hasHandle: boolean;
}

/** As it is before anything is known of it but the file. */
export function newUpload(key: string, state: UploadState, hasHandle: boolean): Upload {
  const [path, name, sizeBytes] = JSON.parse(key) as KeyParts;
  return {
    key,
    name,
    path,
    sizeBytes,
    state,
    hasHandle,
    check: null,
    arrived: null,
    progress: null,
    bytesPerSecond: 0,
    error: null,
    hadOther: false,
    file: null,
  };
}

/** What the server has. */
export interface Arrived {
  readonly uploadId: string;
  readonly storedBytes: number;
  readonly partCount: number;
  readonly stored: PartSet;
  readonly underWay: PartSet;
}

export const NONE: PartSet = new Set<number>();

export function arrivedOf({ session, storedBytes, stored, underWay }: Progress): Arrived | null {
  if (!session) return null;
  return { uploadId: session.upload_id, partCount: session.part_count, storedBytes, stored, underWay };
}

export function arrivedInSession(session: Session): Arrived {
  const missing = new Set(eachPart(session.missing_parts));
  // Beyond what the list tells, nothing is known to be there.
  const known = session.missing_truncated ? (session.missing_parts.at(-1)?.[1] ?? 0) : session.part_count;
  const has = (idx: number) => idx < known && !missing.has(idx);
  return {
    uploadId: session.upload_id,
    partCount: session.part_count,
    storedBytes: session.received_bytes,
    stored: { has, size: session.received_parts },
    underWay: NONE,
  };
}

/** Bytes move now, or will without anybody's doing. */
export function isActive({ state }: Upload): boolean {
  return state === 'checking' || state === 'queued' || state === 'running';
}

type KeyParts = [path: string | null, name: string, sizeBytes: number, modifiedMs: number, copy?: number];

/** @param copy from 1, of files that look alike. */
export function keyOfFile({ name, size, lastModified }: File, path: string | null, copy = 1): string {
  const parts: KeyParts = [path, name, size, lastModified];
  return JSON.stringify(copy === 1 ? parts : [...parts, copy]);
}

/** Equal for files that look the same, wherever they were dropped from. */
export function withoutPath(key: string): string {
  const [, name, sizeBytes, modifiedMs] = JSON.parse(key) as KeyParts;
  return JSON.stringify([null, name, sizeBytes, modifiedMs] satisfies KeyParts);
}
