/** What the functions of this module need. */
import type { Database } from '../db/database.ts';
import type { Outbox } from '../events/outbox.ts';

export interface DatasetContext {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly fileJobs: DatasetJobs;
  /** Milliseconds since 1970. */
  now(): number;
  newId(): string;
}

interface DatasetJobs {
  /** A command runs for every dataset that is completed. */
  readonly runsOnDatasetComplete: boolean;
  /** Jobs were added. */
  wake(): void;
}

/** Whether the caller may access what this owner has. */
export type MayAccess = (owner: string) => boolean;
