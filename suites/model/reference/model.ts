/** The model: a plain object that says how the server must stand, and what it must answer. */
import { partExtent } from '@cryolift/protocol/plan';
import { transition, type UploadEvent, type UploadState } from '@cryolift/protocol/states';
import { bytesOfRuns, type Run, sha256, type Variant } from '../content.ts';

export const OWNERS = ['ada', 'bob'] as const;
export type Owner = (typeof OWNERS)[number];
/** How its bytes come: as parts with an index, or appended by tus. */
type Protocol = 'parts' | 'tus';

export interface ModelUpload {
  readonly id: string;
  readonly owner: Owner;
  readonly protocol: Protocol;
  /** Which bytes it has. */
  readonly content: number;
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly fingerprint: string | null;
  state: UploadState;
  /** SHA-256 of the whole file, hex. */
  declared: string | null;
  /** By index, of an upload in parts. */
  parts: (Variant | null)[];
  /** What was appended, of an upload of tus. */
  runs: Run[];
  updatedMs: number;
  expiresMs: number;
  fileId: string | null;
}

export interface ModelFile {
  /** Null: no answer has told it yet. */
  readonly id: string | null;
  readonly owner: Owner;
  readonly uploadId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly partsSha256: string;
  /** It was published without a digest, so that the storage may tell it later. */
  readonly isUndeclared: boolean;
}

/** What a server knows of the time. */
interface ModelServer {
  /** By the steady clock: nothing expires before. */
  settledAtMs: number;
  /** Times that are stored were not compared with the clock since its last jump. */
  isAgesDue: boolean;
}

export interface Model {
  readonly limits: Limits;
  /** Milliseconds since 1970, as all servers have it. */
  wallMs: number;
  steadyMs: number;
  servers: ModelServer[];
  /** By id, in the order of their creation; those that are forgotten are gone. */
  uploads: Map<string, ModelUpload>;
  /** Ids in the order of their creation, also of those that are gone. */
  ids: string[];
  /** By the id of their upload; those that are deleted are gone. */
  files: Map<string, ModelFile>;
  /** Idempotency-Key of an owner → what it was used for. */
  keys: Map<string, { readonly request: string; readonly uploadId: string }>;
  /** Contents that were used. */
  contents: number;
}

export interface Limits {
  readonly partBytes: number;
  /** Sizes of files that uploads may have, bytes. */
  readonly sizes: readonly number[];
  /** Of one owner, bytes. */
  readonly quotaBytes: number;
  readonly ttlMs: number;
  /** A file may be published before its SHA-256 is known. */
  readonly hasLateDigests: boolean;
}

/** The longest time after a start or a jump in which nothing ends by its age (page 6.7). */
export const GRACE_MS = 3_600_000;

export function copyModel(model: Model): Model {
  return structuredClone(model);
}

export function partCountOf(limits: Limits, { sizeBytes }: Pick<ModelUpload, 'sizeBytes'>): number {
  return Math.ceil(sizeBytes / limits.partBytes);
}

/** Acknowledged bytes without a gap, of an upload of tus. */
export function offsetOf({ runs }: Pick<ModelUpload, 'runs'>): number {
  return runs.reduce((sum, { length }) => sum + length, 0);
}

/** Which parts are recorded, by index. */
export function recordedParts(limits: Limits, upload: ModelUpload): boolean[] {
  const count = partCountOf(limits, upload);
  if (upload.protocol === 'parts') return upload.parts.map((variant) => variant !== null);
  const offset = offsetOf(upload);
  return Array.from({ length: count }, (_, idx) => {
    const part = partExtent(upload.sizeBytes, limits.partBytes, idx);
    return offset >= part.offset + part.length;
  });
}

/** Inclusive pairs, ascending. */
export function missingParts(limits: Limits, upload: ModelUpload): [number, number][] {
  const ranges: [number, number][] = [];
  recordedParts(limits, upload).forEach((isRecorded, idx) => {
    const last = ranges.at(-1);
    if (isRecorded) return;
    if (last && last[1] === idx - 1) last[1] = idx;
    else ranges.push([idx, idx]);
  });
  return ranges;
}

function runsOf(limits: Limits, upload: ModelUpload): readonly Run[] {
  if (upload.protocol === 'tus') return upload.runs;
  return upload.parts.map((variant, idx) => ({
    length: partExtent(upload.sizeBytes, limits.partBytes, idx).length,
    variant: variant ?? 0,
  }));
}

/** SHA-256 of a recorded part, hex. */
export function partDigest(limits: Limits, upload: ModelUpload, idx: number): string {
  const { offset, length } = partExtent(upload.sizeBytes, limits.partBytes, idx);
  return sha256(bytesOfRuns(upload.content, runsOf(limits, upload), offset, offset + length));
}

/** SHA-256 of all bytes that have come, hex; all of them must have. */
export function wholeDigest(limits: Limits, upload: ModelUpload): string {
  return sha256(bytesOfRuns(upload.content, runsOf(limits, upload), 0, upload.sizeBytes));
}

/** SHA-256 over the digests of the parts, hex. */
export function digestOfParts(limits: Limits, upload: ModelUpload): string {
  const digests = Array.from({ length: partCountOf(limits, upload) }, (_, idx) => partDigest(limits, upload, idx));
  return sha256(Buffer.from(digests.join(''), 'hex'));
}

/** Moves the upload by the table of states. @throws Error when that does not allow it: the model is wrong then. */
export function move(model: Model, upload: ModelUpload, event: UploadEvent): void {
  const next = transition(upload.state, event);
  if (next === null) throw new Error(`the model wants ${event} of an upload that is ${upload.state}`);
  upload.state = next;
  upload.updatedMs = model.wallMs;
}

/** The server takes its clock for reliable. */
export function isSettled(model: Model, server: number): boolean {
  return model.steadyMs >= (model.servers[server]?.settledAtMs ?? 0);
}

/** A look at an upload ends it when its time is over. */
export function expireIfDue(model: Model, server: number, upload: ModelUpload): void {
  if (!isSettled(model, server) || upload.expiresMs > model.wallMs) return;
  if (transition(upload.state, 'expire')) move(model, upload, 'expire');
}

/** States in which the bytes of an upload count for the quota. */
const STAGED: readonly UploadState[] = ['pending', 'uploading', 'verifying', 'failed'];

export function usedBytes(model: Model, owner: Owner): number {
  const staged = [...model.uploads.values()].filter((each) => each.owner === owner && STAGED.includes(each.state));
  const files = [...model.files.values()].filter((each) => each.owner === owner);
  return [...staged, ...files].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
