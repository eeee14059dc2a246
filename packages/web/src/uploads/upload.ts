/** One upload of this page, as it is shown. */
import type { PartSet, Progress } from '@cryolift/client';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import type { HeaderCheck } from './header-check.ts';

/**
 * `refused`: the server would. `queued`: others come first. `away`: begun before the page was loaded anew, its file is not
 * at hand. `ending`: being cancelled.
 */
export type UploadState =
  | 'checking'
  | 'refused'
  | 'queued'
  | 'running'
  | 'paused'
  | 'away'
  | 'failed'
  | 'ending'
  | 'done';

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
  const known = session.missing_truncated ? Math.max(...missing) : session.part_count;
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
