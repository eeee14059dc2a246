/** A release that tests look at. */
import type { ChildProcess } from 'node:child_process';
import type { Clone } from './clone.ts';

export interface Release {
  readonly clone: Clone;
  /** For what tests make. */
  readonly folder: string;
  /** The folder of the files that are released. */
  readonly files: string;
  /** Digests by name. */
  readonly sums: Readonly<Record<string, string>>;
  /** Ended with the tests. */
  readonly children: Set<ChildProcess>;
}
