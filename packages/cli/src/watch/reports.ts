/** What a watch says of files that it cannot send, and at its end. */
import { join } from 'node:path';
import type { Output } from '../output/output.ts';
import { describeFailure } from '../process/failure.ts';
import type { Unusable } from './scan.ts';

/** More of one cause, found at the same time, are counted, not named. */
const NAMED = 5;

/** Says of each path once why it cannot be sent, for each cause. */
export class UnusableReport {
  readonly #output: Output;
  readonly #folder: string;
  /** Of the last scan: what is mended and comes again is said again. */
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
  output.note(`${folder}: ${error.message} It is waited for.`);
}

export function reportBack(output: Output, folder: string): void {
  output.event({ event: 'back', path: folder });
  output.note(`${folder} is there now`);
}

export interface OnceSummary {
  /** Files of types that the server accepts. */
  readonly files: number;
  readonly done: number;
  readonly failed: number;
  /** The server does not take them as they are. */
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
    `${done} of ${files} files are there, ${refused.length} were refused, ${failed} failed${unread}`,
    ...refused.slice(0, NAMED).map(({ path, message }) => `  ${path}: refused: ${message}`),
    ...(refused.length > NAMED ? [`  and ${refused.length - NAMED} more`] : []),
  ]);
}
