/** What the upload room works with; made once, in `server.ts`. */
import type { PartLimits } from '@cryolift/protocol/plan';
import type { Database } from '../db/database.ts';
import type { Bus } from '../events/bus.ts';
import type { UpdateLimit } from '../files/update-limit.ts';
import type { PartStore } from '../storage/storage.ts';
import type { Finishing } from './completion.ts';
import type { Arrivals } from './contiguous-prefix.ts';
import type { Doubts } from './doubtful-uploads.ts';
import type { UploadMeter } from './meter.ts';
import type { Attempts } from './part-attempts.ts';
import type { Rechecks } from './reverification.ts';
import type { VerifiedParts } from './verified-parts.ts';

export interface UploadRoom {
  readonly db: Database;
  readonly store: PartStore;
  readonly policy: UploadPolicy;
  readonly bus: Bus;
  readonly attempts: Attempts;
  readonly arrivals: Arrivals;
  readonly verified: VerifiedParts;
  readonly doubts: Doubts;
  readonly finishing: Finishing;
  readonly rechecks: Rechecks;
  readonly updateLimit: UpdateLimit;
  readonly nextSteps: NextSteps;
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
interface NextSteps {
  /** Kinds of jobs. */
  kindsFor(filename: string): readonly string[];
  /** Jobs were added. */
  wake(): void;
}

interface UploadPolicy {
  readonly parts: PartLimits;
  readonly maxFileSizeBytes: number;
  /** A session expires this long after its last part. */
  readonly sessionTtlMs: number;
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
export function lifeOf({ sessionTtlMs }: UploadPolicy, isTrial: number): number {
  return isTrial ? Math.min(TRIAL_MS, sessionTtlMs) : sessionTtlMs;
}

/** What the room tells about its work. Ids, sizes and times only. */
interface UploadLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Whose things a caller may touch: an owner's, of those what a link has begun, or everybody's (scope `admin`). */
export type Reach = { owner: string; linkId?: string } | 'everybody';

/** @param linkId what the thing was begun with; null: not with a link. */
export function reaches(reach: Reach, owner: string, linkId: string | null = null): boolean {
  if (reach === 'everybody') return true;
  return reach.owner === owner && (reach.linkId === undefined || reach.linkId === linkId);
}
