/** The outcome of each file of a watch: done, refused, failed, or kept although it was to be disposed of. */
import type { Output } from '../output/output.ts';
import type { FolderJournal } from '../upload/folder-journal.ts';
import type { Disposal, Disposed } from './disposal.ts';
import { pauseAfter } from './holding.ts';
import { type Refusals, tryAgainAt } from './refusals.ts';
import { reportOnce } from './reports.ts';
import { isSame, type Stamp } from './scan.ts';

export interface OutcomesContext {
  readonly journal: FolderJournal;
  readonly disposal: Disposal | null;
  readonly output: Output;
  /** A watch with `--once` tries no file twice, and names refused files at its end. */
  readonly once: boolean;
}

/** A file for which something was tried in vain. */
interface Tried {
  readonly stamp: Stamp;
  /** Attempts in a row. */
  readonly times: number;
  /** By `performance.now()`. */
  readonly retryAtMs: number;
}

export class Outcomes {
  readonly #context: OutcomesContext;
  readonly #refusals: Refusals;
  readonly #failed = new Map<string, Tried>();
  /** Uploaded, and kept in the folder as it is: it differs from the server's, or its new place is occupied. */
  readonly #kept = new Map<string, Tried>();
  /** Refused files that were reported. */
  readonly #reported = new Set<string>();

  constructor(context: OutcomesContext, refusals: Refusals) {
    this.#context = context;
    this.#refusals = refusals;
  }

  /** True: there is nothing left to do for the file as it is. Reports an earlier refusal once. */
  isDone(path: string, stamp: Stamp): boolean {
    const { journal, disposal } = this.#context;
    if (this.#isRefused(path, stamp)) return true;
    if (!journal.find(path, stamp)) return false;
    return disposal === null || this.#isPaused(this.#find(this.#kept, path, stamp));
  }

  hasFailed(path: string, stamp: Stamp): boolean {
    return this.#find(this.#failed, path, stamp) !== null;
  }

  /** True: the file has failed, and is not tried again yet. */
  isPaused(path: string, stamp: Stamp): boolean {
    return this.#isPaused(this.#find(this.#failed, path, stamp));
  }

  isAtRest(files: ReadonlyMap<string, Stamp>): boolean {
    return [...files].every(([path, stamp]) => this.isDone(path, stamp) || this.hasFailed(path, stamp));
  }

  /** How many of these files have failed, or were refused. */
  count(files: ReadonlyMap<string, Stamp>): { failed: number; refused: number } {
    const failed = [...this.#failed.keys()].filter((path) => {
      const stamp = files.get(path);
      return stamp !== undefined && this.hasFailed(path, stamp);
    });
    const refused = [...this.#reported].filter((path) => {
      const stamp = files.get(path);
      return stamp !== undefined && this.#refusals.find(path, stamp) !== null;
    });
    return { failed: failed.length, refused: refused.length };
  }

  /**
   * The file is uploaded.
   *
   * @param disposed null when it was not to be disposed of.
   */
  noteDone(path: string, stamp: Stamp, disposed: Disposed | null): void {
    this.#failed.delete(path);
    this.#reported.delete(path);
    if (disposed?.kind === 'kept') this.#noteKept(path, stamp, disposed);
    else if (disposed) this.#context.output.event({ event: 'disposed', path, ...disposed });
  }

  /** A file that is held is tried again, and reported only the first time. */
  #noteKept(path: string, stamp: Stamp, { kind, why, again }: Extract<Disposed, { kind: 'kept' }>): void {
    const { output } = this.#context;
    const times = (this.#find(this.#kept, path, stamp)?.times ?? 0) + 1;
    const retryAtMs = again ? performance.now() + pauseAfter(times) : Number.POSITIVE_INFINITY;
    this.#kept.set(path, { stamp, times, retryAtMs });
    if (times > 1 && again) return;
    output.note(`${path}: uploaded, and kept here: ${why}${again ? '; it is tried again' : ''}`);
    output.event({ event: 'disposed', path, kind, why });
  }

  noteFailed(path: string, stamp: Stamp): void {
    const times = (this.#find(this.#failed, path, stamp)?.times ?? 0) + 1;
    this.#failed.set(path, { stamp, times, retryAtMs: performance.now() + pauseAfter(times) });
  }

  /** @throws the journal's error when the refusal cannot be written. */
  async noteRefused(path: string, stamp: Stamp, error: unknown): Promise<void> {
    const { output } = this.#context;
    output.failure(error, path);
    output.note('  It is tried again when the file or the limits of the server change, or in a day.');
    this.#reported.add(path);
    await this.#refusals.note(path, stamp, error);
  }

  /**
   * Reports the end of a watch with `--once`. Files that were refused, now or before, are named.
   *
   * @param unusable paths that cannot be read.
   * @returns whether all files are uploaded.
   */
  reportEnd(files: ReadonlyMap<string, Stamp>, unusable: number): boolean {
    const refused = [...files].flatMap(([path, stamp]) => {
      const refusal = this.#refusals.find(path, stamp);
      return refusal ? [{ path, code: refusal.code, message: refusal.refused, again_at: tryAgainAt(refusal) }] : [];
    });
    const failed = [...files].filter(([path, stamp]) => this.hasFailed(path, stamp)).length;
    const done = files.size - refused.length - failed;
    reportOnce(this.#context.output, { files: files.size, done, failed, refused, unusable });
    return refused.length + failed + unusable === 0;
  }

  #find(tried: ReadonlyMap<string, Tried>, path: string, stamp: Stamp): Tried | null {
    const last = tried.get(path);
    return last && isSame(last.stamp, stamp) ? last : null;
  }

  /** A watch with `--once` tries nothing twice. */
  #isPaused(tried: Tried | null): boolean {
    return tried !== null && (this.#context.once || performance.now() < tried.retryAtMs);
  }

  #isRefused(path: string, stamp: Stamp): boolean {
    const { output, once } = this.#context;
    const refusal = this.#refusals.find(path, stamp);
    if (refusal && !this.#reported.has(path) && !once) {
      const { code, refused: message, at } = refusal;
      output.event({ event: 'refused', path, code, message, at, again_at: tryAgainAt(refusal) });
      output.note(`${path}: refused in an earlier run: ${message}`);
      this.#reported.add(path);
    }
    return refusal !== null;
  }
}
