/** What the functions of this module work with; made once, in `server.ts`. */
import type { PartLimits } from '@cryolift/protocol/plan';
import type { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Database } from '../db/database.ts';
import type { FileRow } from '../db/tables.ts';
import type { Bus } from '../events/bus.ts';
import type { Outbox } from '../events/outbox.ts';
import type { UpdateLimit } from '../files/update-limit.ts';
import type { SingleFlight } from '../single-flight.ts';
import type { Storage } from '../storage/storage.ts';
import type { ContiguousPrefixes } from './parts/contiguous-prefix.ts';
import type { UploadMeter } from './parts/meter.ts';
import type { PartAttempts } from './parts/part-attempts.ts';
import type { DoubtfulUploads } from './verification/doubtful-uploads.ts';
import type { VerifiedParts } from './verification/verified-parts.ts';

export interface UploadContext {
  readonly db: Database;
  readonly storage: Storage;
  readonly analyzer: MrcAnalyzer;
  readonly policy: UploadPolicy;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly attempts: PartAttempts;
  readonly prefixes: ContiguousPrefixes;
  readonly verified: VerifiedParts;
  readonly doubtful: DoubtfulUploads;
  /** By upload: those that are being verified and published. */
  readonly completions: SingleFlight<FileRow>;
  /** By upload: in how many rounds in a row its verification has failed. */
  readonly failedRounds: Map<string, number>;
  /** By upload: those whose parts are being verified again. */
  readonly reverifications: SingleFlight<void>;
  readonly updateLimit: UpdateLimit;
  readonly fileJobs: FileJobs;
  readonly log: UploadLog;
  readonly meter: UploadMeter;
  /** Milliseconds since 1970. */
  now(): number;
  /** False while the clock is not to be trusted to tell anything's age: nothing ends by its age then. */
  isClockSettled(): boolean;
  /** A new id, URL-safe and sortable by time. */
  newId(): string;
}

/** The work that is done with a file once it is published. */
interface FileJobs {
  /** Kinds of jobs. */
  kindsFor(filename: string): readonly string[];
  /** Jobs were added. */
  wake(): void;
}

interface UploadPolicy {
  readonly parts: PartLimits;
  readonly maxFileSizeBytes: number;
  /** A session expires this long after its last part. */
  readonly uploadTtlMs: number;
  /** What an owner may hold, bytes; null: no bound. */
  readonly quotaBytes: number | null;
  /** Sessions that one owner may have open at the same time. */
  readonly maxOpenUploads: number;
  /** Files, and uploads that have not become files, that one owner may have. */
  readonly maxFiles: number;
  /** An upload link is good for no longer than this. */
  readonly maxLinkMs: number;
  /** Extensions without the dot, lower case, that are accepted as they are, besides MRC. */
  readonly acceptedTypes: readonly string[];
}

/** A trial that nobody cancels must not hold space for a week. */
const TRIAL_MS = 3_600_000;

/** How long an upload is kept after its last part, milliseconds. */
export function lifeOf({ uploadTtlMs }: UploadPolicy, isTrial: number): number {
  return isTrial ? Math.min(TRIAL_MS, uploadTtlMs) : uploadTtlMs;
}

/** Ids, sizes and times only. */
interface UploadLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Whose things a caller may touch: an owner's, of those what a link has begun, or everybody's (scope `admin`). */
export type AccessScope = { owner: string; linkId?: string } | 'everybody';

/** @param linkId what the thing was begun with; null: not with a link. */
export function canAccess(access: AccessScope, owner: string, linkId: string | null = null): boolean {
  if (access === 'everybody') return true;
  return access.owner === owner && (access.linkId === undefined || access.linkId === linkId);
}
