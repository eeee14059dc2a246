/** The dependencies of this module; created once, in `server.ts`. */
import type { PartLimits } from '@cryolift/protocol/plan';
import type { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Database } from '../db/database.ts';
import type { FileRow } from '../db/tables.ts';
import type { Bus } from '../events/bus.ts';
import type { Outbox } from '../events/outbox.ts';
import type { UpdateLimit } from '../files/update-limit.ts';
import type { SingleFlight } from '../single-flight.ts';
import type { Storage } from '../storage/storage.ts';
import type { Concatenations } from './append/concatenations.ts';
import type { ContiguousPrefixes } from './parts/contiguous-prefix.ts';
import type { UploadMeter } from './parts/meter.ts';
import type { Attempts } from './parts/part-attempts.ts';
import type { DoubtfulUploads } from './verification/doubtful-uploads.ts';
import type { VerifiedParts } from './verification/verified-parts.ts';

export interface UploadContext {
  readonly db: Database;
  readonly storage: Storage;
  readonly analyzer: MrcAnalyzer;
  readonly policy: UploadPolicy;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly attempts: Attempts;
  readonly prefixes: ContiguousPrefixes;
  readonly verified: VerifiedParts;
  readonly doubtful: DoubtfulUploads;
  /** Uploads that are being verified and published. */
  readonly completions: SingleFlight<FileRow>;
  /** Concatenations that are under way. */
  readonly concatenations: Concatenations;
  /** By upload: the number of consecutive failed verifications. */
  readonly failedRounds: Map<string, number>;
  /** Uploads whose parts are being re-verified. */
  readonly reverifications: SingleFlight<void>;
  readonly updateLimit: UpdateLimit;
  readonly fileJobs: FileJobs;
  readonly log: UploadLog;
  readonly meter: UploadMeter;
  /** Milliseconds since 1970. */
  now(): number;
  /** False while the clock is not reliable: nothing ends by its age then. */
  isClockSettled(): boolean;
  /** A new id, URL-safe and sortable by time. */
  newId(): string;
}

/** The jobs of a file after it was published. */
interface FileJobs {
  /** Kinds of jobs. */
  kindsFor(filename: string): readonly string[];
  /** A command runs for every dataset that is completed. */
  readonly runsOnDatasetComplete: boolean;
  /** Jobs were added. */
  wake(): void;
}

interface UploadPolicy {
  readonly parts: PartLimits;
  readonly maxFileSizeBytes: number;
  /** An upload expires this long after its last part. */
  readonly uploadTtlMs: number;
  /** Integer movies are compressed so long after they were published; null: never. */
  readonly compressAfterMs: number | null;
  /** Quota of an owner, bytes; null: no limit. */
  readonly quotaBytes: number | null;
  /** Maximum of open uploads of one owner. */
  readonly maxOpenUploads: number;
  /** Maximum of files, and uploads that are not published, of one owner. */
  readonly maxFiles: number;
  /** Maximum lifetime of an upload link. */
  readonly maxLinkMs: number;
  /** Extensions without the dot, lower case, that are accepted without a check, besides MRC; `*`: any type. */
  readonly acceptedTypes: readonly string[];
}

/** A trial that is not cancelled must not reserve space for a week. */
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

/** The data that a caller may access: of an owner, the uploads of a link, or all (scope `admin`). */
export type AccessScope = { owner: string; linkId?: string } | 'everybody';

/** @param linkId the link with which the upload was started; null: a token. */
export function canAccess(access: AccessScope, owner: string, linkId: string | null = null): boolean {
  if (access === 'everybody') return true;
  return access.owner === owner && (access.linkId === undefined || access.linkId === linkId);
}
