/** Messages of a watch about files that it cannot send, and its summary. */
import { join } from 'node:path';
import type { Output } from '../output/output.ts';
import { describeFailure } from '../process/failure.ts';
import type { Unusable } from './scan.ts';

/** Above this number, paths with the same cause are counted and not listed. */
const NAMED = 5;

/** Reports the reason for each path once per cause. */
export class UnusableReport {
  readonly #output: Output;
  readonly #folder: string;
  /** Causes in the last scan. A cause that ended and returns is reported again. */
  #said = new Set<string>();

  constructor(output: Output, folder: string) {
    this.#output = output;
    this.#folder = folder;
  }

  update(unusable: ReadonlyMap<string, Unusable>): void {
    const counts = new Map<string, number>();
    const before = this.#said;
    this.#said = new Set();
    for (const [path, { error }] of unusable) {
      const { message } = describeFailure(error);
      const key = `${path}\n${message}`;
      this.#said.add(key);
      if (before.has(key)) continue;
      const count = (counts.get(message) ?? 0) + 1;
      counts.set(message, count);
      if (count <= NAMED || this.#output.json) this.#output.failure(error, join(this.#folder, path));
    }
    for (const [message, count] of counts) {
      if (count > NAMED) this.#output.note(`${count - NAMED} more in ${this.#folder}: ${message}`);
    }
  }
}

/** The watched folder cannot be read now. */
export function reportAway(output: Output, folder: string, error: Error): void {
  output.event({ event: 'away', path: folder, message: error.message });
  output.note(`${folder}: ${error.message} Waiting for it.`);
}

export function reportBack(output: Output, folder: string): void {
  output.event({ event: 'back', path: folder });
  output.note(`${folder} is available`);
}

export interface OnceSummary {
  /** Files of types that the server accepts. */
  readonly files: number;
  readonly done: number;
  readonly failed: number;
  /** Files that the server refused. */
  readonly refused: readonly { readonly path: string; readonly message: string }[];
  /** Paths that cannot be read or have a name that cannot be sent. */
  readonly unusable: number;
}

/** At the end of `--once`. */
export function reportOnce(output: Output, summary: OnceSummary): void {
  const { files, done, failed, refused, unusable } = summary;
  output.event({ event: 'summary', ...summary });
  const unread = unusable > 0 ? `, ${unusable} could not be read` : '';
  output.note([
    `${done} of ${files} files are uploaded, ${refused.length} were refused, ${failed} failed${unread}`,
    ...refused.slice(0, NAMED).map(({ path, message }) => `  ${path}: refused: ${message}`),
    ...(refused.length > NAMED ? [`  and ${refused.length - NAMED} more`] : []),
  ]);
}
