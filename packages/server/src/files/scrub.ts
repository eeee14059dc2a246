/** Reads every stored file again, slowly, and compares it with its digest: this finds bit rot early. */
import { setTimeout as delay } from 'node:timers/promises';
import { toHex } from '@cryolift/protocol/digest';
import type { ScrubReport } from '@cryolift/protocol/messages';
import { recordFault } from '../db/copies/known-files.ts';
import { findFile, listFilesAfter, sumFiles } from '../db/files.ts';
import type { FileRow } from '../db/tables.ts';
import { FILE_DAMAGED, FILE_UNREADABLE } from '../events/event.ts';
import type { Leases } from '../leases/leases.ts';
import { BytesDamaged, BytesGone } from '../storage/errors.ts';
import { fileEvent } from './file-event.ts';
import type { FileContext } from './files.ts';
import { toFilePlace } from './record.ts';
import { type ScrubProgress as Progress, type ScrubClaim, ScrubState } from './scrub-state.ts';

type Fault = ScrubReport['faults'][number];

interface ScrubContext extends FileContext {
  readonly log: {
    info(fields: Record<string, unknown>, message: string): void;
    error(fields: Record<string, unknown>, message: string): void;
  };
}

const BATCH = 100;
const MAX_FAULTS = 1000;
/** After this number of consecutive unreadable files the scrub stops, because the storage itself fails. */
const MAX_UNREADABLE = 100;
/** A killed process repeats at most this much. */
const KEEP_MS = 5_000;

export class Scrub {
  readonly #context: ScrubContext;
  readonly #state: ScrubState;
  #progress: Progress | null = null;
  /** Bytes of the current file. */
  #readBytes = 0;
  #keptMs = 0;
  #unreadableInARow = 0;
  #running: { abort: AbortController; ended: Promise<void> } | null = null;

  /** @param leases null: no other server uses the database. */
  constructor(context: ScrubContext, leases: Leases | null) {
    this.#context = context;
    this.#state = new ScrubState(context.db, leases);
  }

  /** Resumes a scrub that a stop or a crash has interrupted, of another server, too. */
  async resume(): Promise<void> {
    if (this.#running) return;
    await this.#refresh();
    if (this.#progress?.status !== 'running') return;
    const claim = await this.#state.claim();
    if (claim) await this.#startAs(claim, async () => await this.#state.read());
  }

  async report(): Promise<ScrubReport> {
    await this.#refresh();
    if (!this.#progress) return NEVER;
    const { after: _after, until: _until, ...report } = this.#progress;
    return { ...report, checked_bytes: report.checked_bytes + this.#readBytes };
  }

  /** The state of the last or the running one. */
  async countFaults(): Promise<Record<Fault['fault'], number>> {
    const { damaged, missing, unreadable } = await this.report();
    return { damaged, missing, unreadable };
  }

  /** Joins a running scrub. @param bytesPerSecond maximum read rate. */
  async begin(bytesPerSecond: number): Promise<ScrubReport> {
    if (this.#progress?.status === 'running' && this.#running) return await this.report();
    // A finished one is not joined, and may still be cleaning up.
    await this.#running?.ended;
    await this.#refresh();
    const claim = await this.#state.claim();
    // Another server, or another request, was faster.
    if (!claim || this.#running) return await this.report();
    await this.#startAs(claim, async () => {
      const left = this.#state.isShared ? await this.#state.read() : null;
      // Of a server that has died.
      if (left?.status === 'running' && this.#progress?.status !== 'failed') return left;
      return await this.#plan(bytesPerSecond);
    });
    return await this.report();
  }

  /** Ends it permanently. */
  async cancel(): Promise<ScrubReport> {
    await this.#refresh();
    const mine = this.#running && this.#progress;
    if (this.#progress?.status !== 'running') return await this.report();
    await this.stop();
    const claim = await this.#state.takeOver();
    try {
      const left = mine ?? (await this.#state.read());
      // It may have finished meanwhile.
      if (claim && left?.status === 'running') {
        this.#progress = left;
        await this.#end(left, claim, 'stopped');
      }
    } finally {
      await claim?.release();
    }
    return await this.report();
  }

  /** Interrupts it; the next start resumes it. */
  async stop(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.ended;
  }

  /** Reads what other servers have done. A failure of this one is not stored. */
  async #refresh(): Promise<void> {
    if (this.#running || (this.#progress && !this.#state.isShared)) return;
    const kept = await this.#state.read();
    const isFailed = this.#progress?.status === 'failed' && this.#progress.started_at === kept?.started_at;
    if (!isFailed) this.#progress = kept;
  }

  async #plan(bytesPerSecond: number): Promise<Progress> {
    const { files, bytes, lastId } = await sumFiles(this.#context.db);
    return {
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
  }

  /** Resolves when its start is recorded, so that it survives a crash. @throws when it cannot be recorded. */
  async #startAs(claim: ScrubClaim, plan: () => Promise<Progress | null>): Promise<void> {
    let isStarted = false;
    try {
      const progress = await plan();
      // Another request may have been faster, and the scrub of another server may have ended.
      if (this.#running || progress?.status !== 'running') return;
      isStarted = true;
      await this.#start(progress, claim);
    } finally {
      if (!isStarted) await claim.release();
    }
  }

  async #start(progress: Progress, claim: ScrubClaim): Promise<void> {
    this.#progress = progress;
    this.#unreadableInARow = 0;
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, claim.signal]);
    const kept = this.#keep(progress, claim);
    const ended = kept
      .then(() => this.#run(progress, claim, signal))
      .catch((error: unknown) => {
        if (signal.aborted) return;
        // Not recorded: the next start resumes it.
        progress.status = 'failed';
        progress.ended_at = new Date(this.#context.now()).toISOString();
        this.#context.log.error({ err: error }, 'the scrub failed');
      })
      .finally(async () => {
        this.#readBytes = 0;
        await claim.release();
        this.#running = null;
      });
    this.#running = { abort, ended };
    await kept;
  }

  async #run(progress: Progress, claim: ScrubClaim, signal: AbortSignal): Promise<void> {
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
        await this.#note(progress, claim, row, fault);
      }
      if (rows.length < BATCH) break;
    }
    await this.#end(progress, claim, 'done');
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
    const found = await compare().catch((error: Error) => fault(kindOf(error), error.message));
    return found && !(await findFile(db, row.id)) ? undefined : found;
  }

  async #note(progress: Progress, claim: ScrubClaim, row: FileRow, fault: Fault | null | undefined): Promise<void> {
    progress.after = row.id;
    progress.checked_files++;
    progress.checked_bytes += row.size;
    this.#readBytes = 0;
    if (fault) await this.#emit(progress, row, fault);
    else if (fault === null) progress.ok++;
    // A restored file may be copied again.
    if (fault === null && row.fault !== null) await recordFault(this.#context.db, row.id, null);
    if (fault || performance.now() - this.#keptMs > KEEP_MS) await this.#keep(progress, claim);
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
    const event = fileEvent(type, row, this.#context.now());
    await this.#context.outbox.transact(async (tx, emit) => {
      await recordFault(tx, row.id, fault.fault);
      await emit(event);
    });
  }

  async #end(progress: Progress, claim: ScrubClaim, status: 'done' | 'stopped'): Promise<void> {
    progress.status = status;
    progress.ended_at = new Date(this.#context.now()).toISOString();
    await this.#keep(progress, claim);
  }

  async #keep(progress: Progress, claim: ScrubClaim): Promise<void> {
    this.#keptMs = performance.now();
    await claim.keep(progress);
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

function kindOf(error: Error): Fault['fault'] {
  if (error instanceof BytesDamaged) return 'damaged';
  return error instanceof BytesGone && error.isAbsent ? 'missing' : 'unreadable';
}

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
