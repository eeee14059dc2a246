/** Uploads every file of a folder that has stopped growing, for as long as this runs. */
import { join } from 'node:path';
import { basename } from 'node:path/posix';
import { RetryPolicy, SourceError, type Uploader } from '@cryolift/client';
import { hashPath } from '@cryolift/client/node';
import { extensionOf } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { sayWaiting } from '../connection/waiting.ts';
import { typesOf } from '../files/accepted-types.ts';
import type { Found, Selection } from '../files/find-files.ts';
import { isDenied } from '../files/folder-entries.ts';
import type { Output } from '../output/output.ts';
import type { ProgressDisplay } from '../output/progress.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { exitCodeOf, isAboutServer } from '../process/failure.ts';
import { type FolderJournal, hasInode, type WentUp } from '../upload/folder-journal.ts';
import { confirm } from '../upload/owner.ts';
import { type FileFlags, reportSent, uploadFile } from '../upload/upload-file.ts';
import { type Disposal, type Disposed, dispose } from './disposal.ts';
import { Holding, pauseAfter } from './holding.ts';
import { isRefusal, pickReasons, Refusals, tryAgainAt } from './refusals.ts';
import { reportAway, reportBack, reportOnce, UnusableReport } from './reports.ts';
import { isSame, type Stamp, scan, statFile, type Unusable } from './scan.ts';
import { Settling } from './settling.ts';

const LONGEST_INTERVAL_MS = 15_000;
const SHORTEST_INTERVAL_MS = 250;
/** What the server accepts is asked again this often. */
const LIMITS_EVERY_MS = 15_000;
const SIDECAR = 'mdoc';

export interface WatchOptions {
  readonly folder: string;
  readonly settleMs: number;
  readonly selection: Selection;
  readonly disposal: Disposal | null;
  /** End when all files in the folder have settled and are uploaded. */
  readonly once: boolean;
  /** Files at the same time. */
  readonly atOnce: number;
  readonly flags: FileFlags;
  readonly uploader: Uploader;
  /** Whose files they become. */
  readonly owner: string;
  readonly journal: FolderJournal;
  readonly output: Output;
  readonly display: ProgressDisplay;
  /** Aborting it ends the watch. Started uploads are kept. */
  readonly signal: AbortSignal;
}

/** That the server has the file, as this owner's; or why it stays. */
type Proof = { readonly kind: 'there'; readonly sha256: string } | { readonly kind: 'kept'; readonly why: string };

interface Failed {
  readonly stamp: Stamp;
  readonly times: number;
  readonly againMs: number;
}

export class Watcher {
  readonly #options: WatchOptions;
  readonly #settling: Settling;
  readonly #holding = new Holding();
  /** Ends the watch from within. */
  readonly #stop = new AbortController();
  readonly #underWay = new Map<string, Stamp>();
  readonly #failed = new Map<string, Failed>();
  /** Went up and stays, as it is: it was found to differ, or there is another of its name where it would go. */
  readonly #kept = new Map<string, Stamp>();
  /** Changed while they were sent: what the server has of them is of no use. */
  readonly #restart = new Set<string>();
  readonly #unaccepted = new Set<string>();
  readonly #unusable: UnusableReport;
  /** Refused files that were reported. */
  readonly #told = new Set<string>();
  #accepted: ReadonlySet<string> = new Set();
  #limitsMs = 0;
  #refusals!: Refusals;
  #isAway = false;
  /** What is to be done something about, in order, as the last scan found it. */
  #due: [string, Stamp][] = [];
  /** A wake-up while nothing waits counts, too. */
  #isWoken = false;
  #wake = (): void => {};

  constructor(options: WatchOptions) {
    this.#options = { ...options, signal: AbortSignal.any([options.signal, this.#stop.signal]) };
    this.#settling = new Settling(options.settleMs);
    this.#unusable = new UnusableReport(options.output, options.folder);
    this.#options.signal.addEventListener('abort', () => this.#tell());
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
      if (present.kind === 'seen' && !signal.aborted) {
        const files = this.#filter(present.files);
        const unusable = this.#filterUnusable(present.unusable);
        this.#unusable.update(unusable);
        this.#due = this.#findDue(this.#settling.observe(files, startedMs), files);
        this.#startSome();
        if (once && this.#underWay.size === 0 && this.#isAtRest(files)) return this.#evaluate(files, unusable.size);
      }
      // A folder whose scan takes long is scanned less often.
      await this.#pause(Math.max(intervalMs, performance.now() - startedMs));
    }
    while (this.#underWay.size > 0) await this.#pause(LONGEST_INTERVAL_MS);
    const { reason } = signal;
    if (!isAboutServer(reason) || exitCodeOf(reason) === EXIT.unauthorised) throw reason;
    output.failure(reason);
    return EXIT.someFailed;
  }

  /** Ends early when nothing is under way any more, or everything is to end. */
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

  #tell(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /**
   * A file that was not uploaded makes the run end with "some files failed". Files that were refused, now or before,
   * are named.
   */
  #evaluate(files: ReadonlyMap<string, Stamp>, unusable: number): ExitCode {
    const refused = [...files].flatMap(([path, stamp]) => {
      const refusal = this.#refusals.find(path, stamp);
      return refusal ? [{ path, code: refusal.code, message: refusal.refused, again_at: tryAgainAt(refusal) }] : [];
    });
    const failed = [...files].filter(([path, stamp]) => this.#hasFailed(path, stamp)).length;
    const done = files.size - refused.length - failed;
    reportOnce(this.#options.output, { files: files.size, done, failed, refused, unusable });
    return refused.length + failed + unusable > 0 ? EXIT.someFailed : EXIT.done;
  }

  #hasFailed(path: string, stamp: Stamp): boolean {
    const failed = this.#failed.get(path);
    return failed !== undefined && isSame(failed.stamp, stamp);
  }

  /** Waits for a server that is not there yet; for good, unless this is to end some time. */
  async #waitForLimits(): Promise<void> {
    const { uploader, journal, flags, output, once, signal } = this.#options;
    const retryPolicy = new RetryPolicy(once ? undefined : Number.POSITIVE_INFINITY);
    const limits = await retryPolicy.retry(() => uploader.api.limits({ signal }), signal, sayWaiting(output));
    this.#refusals = new Refusals(journal, { ...pickReasons(limits), metadata: flags.meta ?? {} });
    this.#noteLimits(limits);
  }

  /** A server that does not answer now is asked again. */
  async #askLimits(): Promise<void> {
    this.#limitsMs = performance.now();
    const { uploader, signal } = this.#options;
    const limits = await uploader.api.limits({ signal }).catch(() => null);
    if (limits) this.#noteLimits(limits);
  }

  #noteLimits(limits: Limits): void {
    this.#limitsMs = performance.now();
    this.#refusals.noteLimits(limits);
    this.#accepted = typesOf(limits);
  }

  /** @param error why the folder cannot be read; null: it can. */
  #noteAway(error: SourceError | null): void {
    const { folder, output } = this.#options;
    if ((error !== null) === this.#isAway) return;
    this.#isAway = error !== null;
    if (error) reportAway(output, folder, error);
    else reportBack(output, folder);
  }

  #filter(present: ReadonlyMap<string, Stamp>): Map<string, Stamp> {
    const files = new Map<string, Stamp>();
    for (const [path, stamp] of present) {
      const type = extensionOf(basename(path));
      if (this.#accepted.has(type)) {
        files.set(path, stamp);
      } else if (!this.#unaccepted.has(type)) {
        this.#unaccepted.add(type);
        this.#options.output.event({ event: 'skipped', path, reason: 'type' });
        this.#options.output.note(
          `${path}: left out like all ${type || 'files without a type'}; the server does not accept it`,
        );
      }
    }
    return files;
  }

  /** What is certainly not meant, by its type, is not complained of. */
  #filterUnusable(unusable: ReadonlyMap<string, Unusable>): Map<string, Unusable> {
    return new Map(
      [...unusable].filter(([path, { isFolder }]) => isFolder || this.#accepted.has(extensionOf(basename(path)))),
    );
  }

  /** What is to be done something about now, in the order in which it is to be done. */
  #findDue(settled: ReadonlyMap<string, Stamp>, files: ReadonlyMap<string, Stamp>): [string, Stamp][] {
    const inodes = new Set([...this.#underWay.values()].map(({ inode }) => inode).filter(hasInode));
    const due = [...settled].filter(([path, stamp]) => {
      // Under way, perhaps by the name that it had.
      if (this.#underWay.has(path) || inodes.has(stamp.inode) || this.#isDone(path, stamp)) return false;
      const failed = this.#failed.get(path);
      if (failed && isSame(failed.stamp, stamp)) return !this.#options.once && performance.now() >= failed.againMs;
      return !this.#waitsForSidecar(path, files);
    });
    return due.sort(([a, { modifiedMs }], [b, other]) => {
      return Number(isSidecar(b)) - Number(isSidecar(a)) || modifiedMs - other.modifiedMs || (a < b ? -1 : 1);
    });
  }

  #isDone(path: string, stamp: Stamp): boolean {
    const { journal, disposal } = this.#options;
    if (this.#isRefused(path, stamp)) return true;
    if (!journal.find(path, stamp)) return false;
    const kept = this.#kept.get(path);
    return disposal === null || (kept !== undefined && isSame(kept, stamp));
  }

  #isRefused(path: string, stamp: Stamp): boolean {
    const refusal = this.#refusals.find(path, stamp);
    if (refusal && !this.#told.has(path) && !this.#options.once) {
      const { code, refused: message, at } = refusal;
      this.#options.output.event({ event: 'refused', path, code, message, at, again_at: tryAgainAt(refusal) });
      this.#options.output.note(`${path}: was refused before: ${message}`);
      this.#told.add(path);
    }
    return refusal !== null;
  }

  /** What describes a file goes before it. */
  #waitsForSidecar(path: string, files: ReadonlyMap<string, Stamp>): boolean {
    if (isSidecar(path)) return false;
    const stem = path.slice(0, path.length - extensionOf(basename(path)).length);
    const names = [`${path}.${SIDECAR}`, `${stem}${SIDECAR}`];
    return names.some((name) => {
      const stamp = files.get(name);
      return stamp !== undefined && !this.#isDone(name, stamp) && !this.#hasFailed(name, stamp);
    });
  }

  #isAtRest(files: ReadonlyMap<string, Stamp>): boolean {
    return [...files].every(([path, stamp]) => this.#isDone(path, stamp) || this.#hasFailed(path, stamp));
  }

  #startSome(): void {
    const { atOnce, signal } = this.#options;
    while (this.#underWay.size < atOnce && !signal.aborted && !this.#holding.isHeld) {
      const next = this.#due.shift();
      if (!next) return;
      const [path, stamp] = next;
      this.#underWay.set(path, stamp);
      void this.#handle(path, stamp).finally(() => {
        this.#underWay.delete(path);
        this.#startSome();
        if (this.#underWay.size === 0) this.#tell();
      });
    }
  }

  /** Throws nothing. */
  async #handle(path: string, stamp: Stamp): Promise<void> {
    const { journal, folder, signal } = this.#options;
    try {
      // It may be long since the scan.
      const now = await statFile(join(folder, path));
      if (!now || !isSame(now, stamp)) return this.#settling.forget(path);
      const known = journal.find(path, stamp) ?? (await this.#adopt(path, stamp));
      const proof = known ? await this.#prove(known) : await this.#upload(path, stamp);
      await this.#dispose(path, stamp, proof);
      this.#failed.delete(path);
      this.#holding.noteSuccess();
    } catch (error) {
      if (signal.aborted) return;
      if (isAboutServer(error)) this.#noteServerFailed(path, error);
      else if ((await statFile(join(folder, path)).catch(() => undefined)) === null) this.#noteGone(path);
      else if (isRefusal(error)) this.#noteRefused(path, stamp, error);
      else this.#noteFailed(path, stamp, error);
    }
  }

  /** A file that was uploaded before and only renamed or restored is not sent again: its bytes decide. */
  async #adopt(path: string, stamp: Stamp): Promise<WentUp | null> {
    const { journal, folder, output, signal } = this.#options;
    const alike = journal.findAlike(path, stamp);
    if (!alike || (await hashPath(join(folder, path), signal)) !== alike.sha256) return null;
    journal.note(path, stamp, alike);
    output.event({ event: 'skipped', path, reason: 'renamed', was: alike.path, file_id: alike.file_id });
    output.note(`${path}: went up already, as ${alike.path}`);
    return alike;
  }

  /** Asks for the record, as this owner: without it nothing is moved or deleted. */
  async #prove(known: WentUp): Promise<Proof> {
    const { disposal, uploader, owner, signal } = this.#options;
    if (disposal === null) return { kind: 'there', sha256: known.sha256 };
    const confirmed = await confirm(uploader.api, owner, known, signal);
    if (confirmed.kind === 'there') return { kind: 'there', sha256: confirmed.file.sha256 };
    return confirmed.kind === 'gone'
      ? { kind: 'kept', why: `it was deleted from the server, or is not ${owner}'s` }
      : { kind: 'kept', why: 'this token may not ask whether the server still has it' };
  }

  async #upload(path: string, stamp: Stamp): Promise<Proof> {
    const { folder, uploader, owner, journal, flags, display, output, signal } = this.#options;
    const { sizeBytes, modifiedMs, changedMs, inode } = stamp;
    const found: Found = {
      path: join(folder, path),
      inFolder: { folder, path },
      sizeBytes,
      modifiedMs,
      changedMs,
      inode,
    };
    const own: FileFlags = {
      ...flags,
      recursive: true,
      restart: this.#restart.has(path),
      asFound: true,
      onPublished: async (file, facts) => journal.note(path, facts, file),
    };
    const sent = await uploadFile(uploader, found, own, { output, display, signal, follow: () => {} });
    this.#restart.delete(path);
    reportSent(output, found, sent, true);
    if (sent.file.owner !== owner) return { kind: 'kept', why: `it became a file of ${sent.file.owner}` };
    return { kind: 'there', sha256: sent.file.sha256 };
  }

  async #dispose(path: string, stamp: Stamp, proof: Proof): Promise<void> {
    const { disposal, folder, output, signal } = this.#options;
    if (!disposal) return;
    const disposed: Disposed =
      proof.kind === 'kept' ? proof : await dispose(disposal, folder, path, stamp, proof.sha256, signal);
    if (disposed.kind === 'kept') {
      this.#kept.set(path, stamp);
      output.note(`${path}: went up, and stays here: ${disposed.why}`);
    }
    output.event({ event: 'disposed', path, ...disposed });
  }

  #noteGone(path: string): void {
    this.#options.output.event({ event: 'gone', path });
    this.#options.output.note(`${path}: was removed before it was done`);
  }

  #noteRefused(path: string, stamp: Stamp, error: unknown): void {
    const { output } = this.#options;
    output.failure(error, path);
    output.note('  It is tried again when it changes, when the limits of the server do, or in a day.');
    this.#told.add(path);
    try {
      this.#refusals.note(path, stamp, error);
    } catch (problem) {
      this.#noteFailed(path, stamp, problem);
    }
  }

  /** Every other file would fail as well. A token that is refused stays so; a run that is to end does not wait. */
  #noteServerFailed(path: string, error: unknown): void {
    const { once, output } = this.#options;
    if (once || exitCodeOf(error) === EXIT.unauthorised) {
      this.#stop.abort(error);
    } else {
      output.failure(error, path);
      this.#holding.noteFailure();
    }
  }

  #noteFailed(path: string, stamp: Stamp, error: unknown): void {
    this.#options.output.failure(error, path);
    if (error instanceof SourceError && error.code === 'source_changed') {
      this.#restart.add(path);
      this.#settling.forget(path);
      return;
    }
    const before = this.#failed.get(path);
    const times = before && isSame(before.stamp, stamp) ? before.times + 1 : 1;
    this.#failed.set(path, { stamp, times, againMs: performance.now() + pauseAfter(times) });
  }
}

function isSidecar(path: string): boolean {
  return extensionOf(basename(path)) === SIDECAR;
}
