/** What a campaign talks to: one server or two with their database and storage, and their time. */
import type { Caller } from '../client.ts';
import type { Limits } from '../reference/model.ts';
import type { TestTime } from './test-time.ts';

export const DEPLOYMENTS = ['memory', 'disk', 'postgres-s3'] as const;
export type DeploymentName = (typeof DEPLOYMENTS)[number];

export interface Site {
  readonly limits: Limits;
  readonly time: TestTime;
  readonly servers: number;
  caller(server: number): Caller;
  /** Stops the server in good order, and starts it again on the same data. */
  restart(server: number): Promise<void>;
  /** Since the start of the server that has run for the longest time, milliseconds. */
  ageMs(): number;
  /** When no upload and no file is left: a line for each row and each stored byte that is. */
  findLeftovers(): Promise<string[]>;
  close(): Promise<void>;
}
