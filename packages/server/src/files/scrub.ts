/** Reads every stored file again, slowly, and compares it with its digest: this finds bit rot early. */
import { setTimeout as delay } from 'node:timers/promises';
import { toHex } from '@cryolift/protocol/digest';
import type { ScrubReport } from '@cryolift/protocol/messages';
import { findFile, listFilesAfter, sumFiles } from '../db/files.ts';
import { readFact, writeFact } from '../db/server-state.ts';
import type { FileRow } from '../db/tables.ts';
import { FILE_DAMAGED, FILE_UNREADABLE, fileSubject } from '../events/event.ts';
import { BytesGone } from '../storage/errors.ts';
import type { FileContext } from './files.ts';
import { toFilePlace, toFileRecord } from './record.ts';

type Fault = ScrubReport['faults'][number];

/** The stored state, so that a scrub of weeks survives restarts. Files are read in the order of their ids. */
interface Progress extends ScrubReport {
  /** The last file at the start of the scrub, and the last checked file. */
  until: string;
  after: string;
}

interface ScrubContext extends FileContext {
  readonly log: {
    info(fields: Record<string, unknown>, message: string): void;
    error(fields: Record<string, unknown>, message: string): void;
  };
}

const FACT = 'scrub';
const BATCH = 100;
const MAX_FAULTS = 1000;
/** After this number of consecutive unreadable files the scrub stops, because the storage itself fails. */
const MAX_UNREADABLE = 100;
/** A killed process repeats at most this much. */
const KEEP_MS = 5_000;

export class Scrub {
  readonly #context: ScrubContext;
  #progress: Progress | null = null;
  /** Bytes of the current file. */
  #readBytes = 0;
  #keptMs = 0;
  #unreadableInARow = 0;
  #running: { abort: AbortController; ended: Promise<void> } | null = null;

  constructor(context: ScrubContext) {
    this.#context = context;
  }

  /** Resumes a scrub that a stop or a crash has interrupted. */
  async resume(): Promise<void> {
    const kept = await readFact(this.#context.db, FACT);
    this.#progress = kept === undefined ? null : (JSON.parse(kept) as Progress);
    if (this.#progress?.status === 'running') await this.#start(this.#progress);
  }

  report(): ScrubReport {
    if (!this.#progress) return NEVER;
    const { after: _after, until: _until, ...report } = this.#progress;
    return { ...report, checked_bytes: report.checked_bytes + this.#readBytes };
  }

  /** The state of the last or the running one. */
  countFaults(): Record<Fault['fault'], number> {
    const { damaged, missing, unreadable } = this.#progress ?? NEVER;
    return { damaged, missing, unreadable };
  }

  /** Joins a running scrub. @param bytesPerSecond maximum read rate. */
  async begin(bytesPerSecond: number): Promise<ScrubReport> {
    if (this.#progress?.status === 'running' && this.#running) return this.report();
    // A finished one is not joined, and may still be cleaning up.
    await this.#running?.ended;
    const { files, bytes, lastId } = await sumFiles(this.#context.db);
    // Another request may have been faster.
    if (this.#running) return this.report();
    const progress: Progress = {
      ...NEVER,
      status: 'running',
      started_at: new Date(this.#context.now()).toISOString(),
      bytes_per_second: bytesPerSecond,
      files,
      bytes,
      faults: [],
      until: lastId ?? '',
      after: '',
    };
    // A scrub that was reported as started survives a crash.
    await this.#start(progress);
    return this.report();
  }

  /** Ends it permanently. */
  async cancel(): Promise<ScrubReport> {
    const progress = this.#progress;
    if (!this.#running || !progress) return this.report();
    await this.stop();
    // It may have finished meanwhile.
    if (progress.status === 'running') await this.#end(progress, 'stopped');
    return this.report();
  }

  /** Interrupts it; the next start resumes it. */
  async stop(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.ended;
  }

  /** Resolves when its start is recorded. @throws when it cannot be recorded. */
  async #start(progress: Progress): Promise<void> {
    this.#progress = progress;
    this.#unreadableInARow = 0;
    const abort = new AbortController();
    const kept = this.#keep(progress);
    const ended = kept
      .then(() => this.#run(progress, abort.signal))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        // Not recorded: the next start resumes it.
        progress.status = 'failed';
        progress.ended_at = new Date(this.#context.now()).toISOString();
        this.#context.log.error({ err: error }, 'the scrub failed');
      })
      .finally(() => {
        this.#readBytes = 0;
        this.#running = null;
      });
    this.#running = { abort, ended };
    await kept;
  }

  async #run(progress: Progress, signal: AbortSignal): Promise<void> {
    const pace = makePace(progress.bytes_per_second ?? Number.POSITIVE_INFINITY, signal);
    for (;;) {
      const rows = await listFilesAfter(this.#context.db, {
        after: progress.after,
        until: progress.until,
        limit: BATCH,
      });
      for (const row of rows) {
        signal.throwIfAborted();
        const fault = await this.#check(row, pace);
        signal.throwIfAborted();
        await this.#note(progress, row, fault);
      }
      if (rows.length < BATCH) break;
    }
    await this.#end(progress, 'done');
    const { checked_files, ok, damaged, missing, unreadable } = progress;
    this.#context.log.info({ checked_files, ok, damaged, missing, unreadable }, 'scrub done');
  }

  /** @returns null when the file is unchanged; undefined when it was deleted meanwhile. */
  async #check(row: FileRow, pace: (bytes: number) => Promise<void>): Promise<Fault | null | undefined> {
    const { storage, db } = this.#context;
    const fault = (kind: Fault['fault'], message: string): Fault => ({ file_id: row.id, fault: kind, message });
    const compare = async (): Promise<Fault | null> => {
      const sizeBytes = await storage.files.stat(toFilePlace(row));
      if (sizeBytes === null) return fault('missing', 'The storage has no such file.');
      if (sizeBytes !== row.size) return fault('damaged', `The storage has ${sizeBytes} of its ${row.size} bytes.`);
      const sha256 = await storage.files.digest(toFilePlace(row), async (bytes) => {
        await pace(bytes);
        this.#readBytes += bytes;
      });
      // Its job compares it, and finds a digest for the next scrub.
      if (row.sha256 === null || Buffer.from(sha256).equals(row.sha256)) return null;
      return fault('damaged', `Its SHA-256 is ${toHex(sha256)} now.`);
    };
    this.#readBytes = 0;
    const found = await compare().catch((error: Error) =>
      fault(error instanceof BytesGone && error.isAbsent ? 'missing' : 'unreadable', error.message),
    );
    return found && !(await findFile(db, row.id)) ? undefined : found;
  }

  async #note(progress: Progress, row: FileRow, fault: Fault | null | undefined): Promise<void> {
    progress.after = row.id;
    progress.checked_files++;
    progress.checked_bytes += row.size;
    this.#readBytes = 0;
    if (fault) await this.#emit(progress, row, fault);
    else if (fault === null) progress.ok++;
    if (fault || performance.now() - this.#keptMs > KEEP_MS) await this.#keep(progress);
    this.#unreadableInARow = fault?.fault === 'unreadable' ? this.#unreadableInARow + 1 : 0;
    if (this.#unreadableInARow >= MAX_UNREADABLE) throw new Error(`${MAX_UNREADABLE} files in a row cannot be read`);
  }

  /** The file is kept: most of it is probably correct, and it may be the only copy. */
  async #emit(progress: Progress, row: FileRow, fault: Fault): Promise<void> {
    progress[fault.fault]++;
    if (progress.faults.length < MAX_FAULTS) progress.faults.push(fault);
    const isUnreadable = fault.fault === 'unreadable';
    this.#context.log.error({ ...fault }, isUnreadable ? 'a stored file cannot be read' : 'a stored file has changed');
    const type = isUnreadable ? FILE_UNREADABLE : FILE_DAMAGED;
    await this.#context.outbox.transact(async (_tx, emit) => {
      await emit({
        type,
        subject: fileSubject(row.id),
        owner: row.owner,
        uploadId: row.upload_id,
        time: this.#context.now(),
        data: toFileRecord(row, null),
      });
    });
  }

  async #end(progress: Progress, status: 'done' | 'stopped'): Promise<void> {
    progress.status = status;
    progress.ended_at = new Date(this.#context.now()).toISOString();
    await this.#keep(progress);
  }

  async #keep(progress: Progress): Promise<void> {
    this.#keptMs = performance.now();
    await writeFact(this.#context.db, FACT, JSON.stringify(progress));
  }
}

const NEVER: ScrubReport = {
  status: 'never',
  started_at: null,
  ended_at: null,
  bytes_per_second: null,
  files: 0,
  bytes: 0,
  checked_files: 0,
  checked_bytes: 0,
  ok: 0,
  faults: [],
  damaged: 0,
  missing: 0,
  unreadable: 0,
};

/** @returns a function to await before this number of bytes is read. It rejects after `signal`. */
function makePace(bytesPerSecond: number, signal: AbortSignal): (bytes: number) => Promise<void> {
  let freeMs = performance.now();
  return async (bytes) => {
    signal.throwIfAborted();
    const waitMs = freeMs - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    freeMs = Math.max(freeMs, performance.now()) + (bytes / bytesPerSecond) * 1000;
  };
}
