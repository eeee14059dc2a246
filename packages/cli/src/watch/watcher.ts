/** Uploads the files of a folder that have stopped changing, until it is ended. */
import { join } from 'node:path';
import { FileSlots, RetryPolicy, SourceError } from '@cryolift/client';
import { isHeld } from '@cryolift/client/node';
import type { Limits } from '@cryolift/protocol/messages';
import { sayWaiting } from '../connection/waiting.ts';
import type { Selection } from '../files/find-files.ts';
import { isDenied } from '../files/folder-entries.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { exitCodeOf, isAboutServer } from '../process/failure.ts';
import { AcceptedFiles } from './accepted-files.ts';
import { findDue } from './due-files.ts';
import { FileHandler, type FileHandlerContext } from './file-handler.ts';
import { Holding } from './holding.ts';
import { Outcomes } from './outcomes.ts';
import { isRefusal, pickReasons, Refusals } from './refusals.ts';
import { reportAway, reportBack, UnusableReport } from './reports.ts';
import { isSame, type Stamp, scan, statFile } from './scan.ts';
import { Settling } from './settling.ts';

const LONGEST_INTERVAL_MS = 15_000;
const SHORTEST_INTERVAL_MS = 250;
/** The limits of the server are requested again this often. */
const LIMITS_EVERY_MS = 15_000;

export interface WatchOptions extends FileHandlerContext {
  readonly settleMs: number;
  readonly selection: Selection;
  /** End when all files in the folder have settled and are uploaded. */
  readonly once: boolean;
  /** Files uploaded at the same time, as `FileSlots` counts them. */
  readonly atOnce: number;
  /** Aborting it ends the watch. Started uploads are kept. */
  readonly signal: AbortSignal;
}

/** Numbers of files, now. */
export interface WatchCounts {
  /** To be uploaded when they have settled, or when others are done. */
  readonly waiting: number;
  readonly uploading: number;
  readonly failed: number;
  /** By the server. */
  readonly refused: number;
  /** Entries that cannot be read, or whose names cannot be sent. */
  readonly unreadable: number;
  /** A failure of the connection or the token delays all files. */
  readonly isHeld: boolean;
}

export class Watcher {
  readonly #options: WatchOptions;
  readonly #settling: Settling;
  readonly #slots: FileSlots;
  readonly #holding = new Holding();
  readonly #handler: FileHandler;
  readonly #accepted: AcceptedFiles;
  readonly #unusable: UnusableReport;
  /** Ends the watch after a failure that affects every file. */
  readonly #stop = new AbortController();
  /** Files that are being handled. */
  readonly #active = new Map<string, Stamp>();
  #limitsMs = 0;
  #refusals!: Refusals;
  #outcomes!: Outcomes;
  #isAway = false;
  /** Files to handle, in order, as the last scan found them. */
  #due: [string, Stamp][] = [];
  /** Of the last scan; null before the first one. */
  #scanned: Pick<WatchCounts, 'failed' | 'refused' | 'unreadable'> | null = null;
  /** Files that must settle, or wait for their sidecars. */
  #later = 0;
  /** A wake-up between two pauses ends the next one. */
  #isWoken = false;
  #wake = (): void => {};

  constructor(options: WatchOptions) {
    this.#options = { ...options, signal: AbortSignal.any([options.signal, this.#stop.signal]) };
    this.#settling = new Settling(options.settleMs);
    this.#slots = new FileSlots(options.atOnce);
    this.#handler = new FileHandler(this.#options);
    this.#accepted = new AcceptedFiles(options.output);
    this.#unusable = new UnusableReport(options.output, options.folder);
    this.#options.signal.addEventListener('abort', () => this.#wakeUp());
  }

  /** @throws the signal's reason; NoTokenError, and ServerError for a token that is not accepted. */
  async run(): Promise<ExitCode> {
    const { folder, selection, settleMs, once, output, signal } = this.#options;
    const intervalMs = Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, settleMs / 4));
    await this.#waitForLimits();
    while (!signal.aborted) {
      const startedMs = performance.now();
      if (startedMs - this.#limitsMs >= LIMITS_EVERY_MS) void this.#askLimits();
      const present = await scan(folder, selection);
      if (once && present.kind === 'away' && isDenied(present.error.cause)) {
        output.failure(present.error, folder);
        return EXIT.someFailed;
      }
      this.#noteAway(present.kind === 'away' ? present.error : null);
      if (present.kind === 'readable' && !signal.aborted) {
        const files = this.#accepted.filter(present.files);
        const unusable = this.#accepted.filterUnusable(present.unusable);
        this.#unusable.update(unusable);
        const settled = this.#settling.observe(files, startedMs);
        const { due, later } = findDue(settled, files, this.#active, this.#outcomes);
        this.#due = due;
        this.#later = later;
        this.#scanned = { ...this.#outcomes.count(files), unreadable: unusable.size };
        this.#startSome();
        if (once && this.#active.size === 0 && this.#outcomes.isAtRest(files)) {
          return this.#outcomes.reportEnd(files, unusable.size) ? EXIT.done : EXIT.someFailed;
        }
      }
      // A folder with a long scan is scanned less often.
      await this.#pause(Math.max(intervalMs, performance.now() - startedMs));
    }
    while (this.#active.size > 0) await this.#pause(LONGEST_INTERVAL_MS);
    const { reason } = signal;
    if (!isAboutServer(reason) || exitCodeOf(reason) === EXIT.unauthorised) throw reason;
    output.failure(reason);
    return EXIT.someFailed;
  }

  /** Null before the first scan. */
  get counts(): WatchCounts | null {
    if (!this.#scanned) return null;
    const [waiting, uploading] = [this.#later + this.#due.length, this.#active.size];
    return { ...this.#scanned, waiting, uploading, isHeld: this.#holding.isHeld };
  }

  /** Ends early when the last active file is done, or the watch is to end. */
  async #pause(ms: number): Promise<void> {
    if (!this.#isWoken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
      this.#wake = () => {};
    }
    this.#isWoken = false;
  }

  #wakeUp(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Waits for a server that is not there yet; with `--once`, as long as uploads wait. */
  async #waitForLimits(): Promise<void> {
    const { uploader, journal, flags, output, once, signal } = this.#options;
    const retryPolicy = new RetryPolicy(once ? undefined : Number.POSITIVE_INFINITY);
    const limits = await retryPolicy.retry(() => uploader.api.limits({ signal }), signal, sayWaiting(output));
    this.#refusals = new Refusals(journal, { ...pickReasons(limits), metadata: flags.meta ?? {} });
    this.#outcomes = new Outcomes(this.#options, this.#refusals);
    this.#noteLimits(limits);
  }

  /** Asks again when the server does not answer. */
  async #askLimits(): Promise<void> {
    this.#limitsMs = performance.now();
    const { uploader, signal } = this.#options;
    const limits = await uploader.api.limits({ signal }).catch(() => null);
    if (limits) this.#noteLimits(limits);
  }

  #noteLimits(limits: Limits): void {
    this.#limitsMs = performance.now();
    this.#refusals.noteLimits(limits);
    this.#accepted.noteLimits(limits);
  }

  /** @param error why the folder cannot be read; null: it can. */
  #noteAway(error: SourceError | null): void {
    const { folder, output } = this.#options;
    if ((error !== null) === this.#isAway) return;
    this.#isAway = error !== null;
    if (error) reportAway(output, folder, error);
    else reportBack(output, folder);
  }

  #startSome(): void {
    const { signal } = this.#options;
    while (!signal.aborted && !this.#holding.isHeld) {
      const [next] = this.#due;
      if (!next) return;
      const [path, stamp] = next;
      const free = this.#slots.take(stamp.sizeBytes);
      if (!free) return;
      this.#due.shift();
      this.#active.set(path, stamp);
      void this.#handle(path, stamp).finally(() => {
        free();
        this.#active.delete(path);
        this.#startSome();
        if (this.#active.size === 0) this.#wakeUp();
      });
    }
  }

  /** Throws nothing. */
  async #handle(path: string, stamp: Stamp): Promise<void> {
    const { folder, signal } = this.#options;
    try {
      // The file may have changed since the scan.
      const now = await statFile(join(folder, path));
      if (!now || !isSame(now, stamp)) return this.#settling.forget(path);
      const handled = await this.#handler.handle(path, stamp);
      if (handled === 'held') return this.#noteHeld(path);
      this.#outcomes.noteDone(path, stamp, handled);
      this.#holding.noteSuccess();
    } catch (error) {
      if (signal.aborted) return;
      if (isAboutServer(error)) this.#noteServerFailed(path, error);
      else if ((await statFile(join(folder, path)).catch(() => undefined)) === null) this.#noteGone(path);
      else if (isHeld(error)) this.#noteHeld(path);
      else if (isRefusal(error)) await this.#noteRefused(path, stamp, error);
      else this.#noteFailed(path, stamp, error);
    }
  }

  /** Every other file would fail as well. A refused token, and any failure with `--once`, ends the watch. */
  #noteServerFailed(path: string, error: unknown): void {
    const { once, output } = this.#options;
    if (once || exitCodeOf(error) === EXIT.unauthorised) {
      this.#stop.abort(error);
    } else {
      output.failure(error, path);
      this.#holding.noteFailure();
    }
  }

  /** A program, such as that of the camera, still writes the file. Reported once. */
  #noteHeld(path: string): void {
    if (!this.#settling.noteHeld(path, performance.now())) return;
    this.#options.output.event({ event: 'held', path });
    this.#options.output.note(`${path}: still being written: another program has it open`);
  }

  #noteGone(path: string): void {
    this.#options.output.event({ event: 'gone', path });
    this.#options.output.note(`${path}: removed before it was uploaded`);
  }

  async #noteRefused(path: string, stamp: Stamp, error: unknown): Promise<void> {
    try {
      await this.#outcomes.noteRefused(path, stamp, error);
    } catch (problem) {
      this.#noteFailed(path, stamp, problem);
    }
  }

  #noteFailed(path: string, stamp: Stamp, error: unknown): void {
    this.#options.output.failure(error, path);
    if (error instanceof SourceError && error.code === 'source_changed') {
      this.#handler.noteChanged(path);
      this.#settling.forget(path);
    } else {
      this.#outcomes.noteFailed(path, stamp);
    }
  }
}
