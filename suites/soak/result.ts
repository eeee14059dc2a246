/** What a soak is given, and what it finds. */
import type { DeploymentName } from './place.ts';
import type { Sample } from './samples.ts';
import type { FaultName } from './server-faults.ts';
import type { Kind, Tally } from './tally.ts';

export interface SoakOptions {
  readonly deployment: DeploymentName;
  readonly seed: number;
  readonly durationMs: number;
  /** How many clients of each kind. */
  readonly clients: Readonly<Partial<Record<Kind, number>>>;
  readonly mostBytes: number;
  /** 1: about a third of a core. Less: faster. */
  readonly pace: number;
  readonly meanFaultMs: number;
  /** For samples, notes and evidence. */
  readonly out: string;
  /** Called after each sample, for a report while it runs. */
  readonly onSample?: (soak: SoakResult) => void;
}

export interface Mark {
  /** Seconds. */
  readonly at: number;
  readonly what: FaultName;
}

export interface SoakResult {
  readonly options: Pick<SoakOptions, 'deployment' | 'seed' | 'durationMs' | 'pace'>;
  readonly tally: Tally;
  readonly samples: readonly Sample[];
  readonly marks: readonly Mark[];
  /** Since when one process has served, seconds; null: that is still to come. */
  readonly unbrokenFrom: number | null;
  /** When the clients were told to end, seconds; null: that is still to come. */
  readonly loadEnded: number | null;
  readonly faults: readonly string[];
  /** Faults of the proxies that connections have met. */
  readonly badConnections: number;
  readonly answers: number;
  /** What could not be made here. */
  readonly notMade: readonly string[];
}
