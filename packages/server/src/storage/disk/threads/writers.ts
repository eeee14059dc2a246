/**
 * Hashing and writing off the main thread: sinks fill shared slots, worker threads hash them and write them in place.
 */
import { Worker } from 'node:worker_threads';
import { UploadError } from '@cryolift/protocol/errors';
import { explainCode } from '../../errors.ts';
import type { CommittedPart, PartSink } from '../../upload-storage.ts';
import { SLOT_BYTES, type SlotHolder, SlotPool } from './slots.ts';
import type { BlockDone, BlockMessage, EndDone, EndMessage } from './write-worker.ts';

/** Slots of one sink at a time: enough to keep a worker busy, few enough for other sinks. */
const MAX_UNDER_WAY = 4;

/** A worker that handles shared memory makes little garbage of its own; V8 would reserve for much more. */
export const WORKER_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/** The target of a sink. */
export interface WriteTarget {
  fd: number;
  offset: number;
  /** Called when a block was written. */
  onWritten(bytes: number): void;
  /** Undefined when more unflushed bytes are allowed, otherwise a promise to await. */
  whenWritable(): Promise<void> | undefined;
  /** Called once, after the last write of this sink. */
  onSettled(): void;
}

interface Thread {
  readonly worker: Worker;
  /** Blocks that it has and has not answered. */
  blocks: number;
}

export class Writers {
  readonly #pool: SlotPool;
  readonly #threads: Thread[];
  readonly #sinks = new Map<number, WorkerSink>();
  #lastSink = 0;

  /** @param threads number of workers. @param slots MiB of receive memory. */
  constructor(threads: number, slots: number) {
    this.#pool = new SlotPool(slots);
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./write-worker.ts', import.meta.url), {
        workerData: this.#pool.memory,
        resourceLimits: WORKER_LIMITS,
      });
      worker.on('message', (message: BlockDone | EndDone) => this.#sinks.get(message.sink)?.take(message));
      // It is unknown which blocks a dead writer wrote. The process ends; the next start uses only the rows.
      worker.on('error', (error) => {
        throw error;
      });
      return { worker, blocks: 0 };
    });
  }

  /** @param target where to write, or null to hash only. */
  open(target: WriteTarget | null): PartSink {
    const id = ++this.#lastSink;
    const sink = new WorkerSink(id, this.#pick(id), this.#pool, target, () => this.#sinks.delete(id));
    this.#sinks.set(id, sink);
    return sink;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  /** In turn, but none that waits for a stalled disk while others are free. */
  #pick(id: number): Thread {
    const inTurn = this.#threads.map((_, idx) => this.#threads[(id + idx) % this.#threads.length] as Thread);
    return inTurn.reduce((best, thread) => (thread.blocks < best.blocks ? thread : best));
  }
}

class WorkerSink implements PartSink, SlotHolder {
  readonly #id: number;
  readonly #thread: Thread;
  readonly #pool: SlotPool;
  readonly #target: WriteTarget | null;
  readonly #settled = Promise.withResolvers<Uint8Array>();
  #position: number;
  #slot: number | null = null;
  #view: Buffer | null = null;
  #filled = 0;
  #underWay = 0;
  /** A write still waits for a slot. */
  #waiting = false;
  #ended = false;
  #error: UploadError | null = null;
  #wake: (() => void) | null = null;

  constructor(id: number, thread: Thread, pool: SlotPool, target: WriteTarget | null, onSettled: () => void) {
    this.#id = id;
    this.#thread = thread;
    this.#pool = pool;
    this.#target = target;
    this.#position = target?.offset ?? 0;
    this.#settled.promise.then(() => {
      onSettled();
      target?.onSettled();
    });
  }

  write(bytes: Buffer): Promise<void> | undefined {
    const at = this.#fill(bytes, 0);
    // The caller may reuse its memory for another connection by then.
    if (at < bytes.length) return this.#fillLater(Buffer.from(bytes.subarray(at)));
    return undefined;
  }

  async commit(): Promise<CommittedPart> {
    if (this.#waiting) throw new Error('a sink was finished while a write of it still waits');
    this.#end();
    const sha256 = await this.#settled.promise;
    if (this.#error) throw this.#error;
    return { sha256, receipt: null };
  }

  async abort(): Promise<void> {
    this.#end();
    await this.#settled.promise;
  }

  yieldSlot(): void {
    this.#submit();
  }

  take(message: BlockDone | EndDone): void {
    if (message.kind === 'end') {
      this.#settled.resolve(message.sha256);
      return;
    }
    this.#underWay--;
    this.#thread.blocks--;
    this.#pool.release(message.slot);
    if (message.error !== null) this.#error ??= explainCode(message.error);
    else this.#target?.onWritten(message.length);
    this.#wake?.();
  }

  /** Copies what fits without waiting. @returns the number of copied bytes. */
  #fill(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      this.#assertOpen();
      if (this.#slot === null) {
        if (this.#underWay >= MAX_UNDER_WAY || this.#target?.whenWritable()) return at;
        const slot = this.#pool.take(this);
        if (slot === undefined) return at;
        this.#begin(slot);
      }
      const count = Math.min(SLOT_BYTES - this.#filled, bytes.length - at);
      // Three times as fast as TypedArray.set, which copies into shared memory word by word.
      bytes.copy(this.#view as Buffer, this.#filled, at, at + count);
      this.#filled += count;
      at += count;
      if (this.#filled === SLOT_BYTES) this.#submit();
    }
    return at;
  }

  async #fillLater(bytes: Buffer): Promise<void> {
    this.#waiting = true;
    try {
      for (let at = 0; at < bytes.length; at = this.#fill(bytes, at)) await this.#makeUploads();
    } finally {
      this.#waiting = false;
    }
  }

  /** Waits until there is a slot to fill. */
  async #makeUploads(): Promise<void> {
    await this.#target?.whenWritable();
    while (this.#underWay >= MAX_UNDER_WAY) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    this.#assertOpen();
    if (this.#slot !== null) return;
    const slot = await this.#pool.wait(this);
    if (this.#ended) this.#pool.release(slot);
    else this.#begin(slot);
    this.#assertOpen();
  }

  #begin(slot: number): void {
    this.#slot = slot;
    this.#view = this.#pool.view(slot);
    this.#filled = 0;
  }

  #submit(): void {
    if (this.#slot === null) return;
    const slot = this.#slot;
    this.#slot = null;
    this.#view = null;
    this.#pool.handOver(slot);
    if (this.#filled === 0) {
      this.#pool.release(slot);
      return;
    }
    this.#underWay++;
    this.#thread.blocks++;
    const block: BlockMessage = {
      kind: 'block',
      sink: this.#id,
      slot,
      length: this.#filled,
      // After a failure the rest is dropped, so that no more bytes are written.
      fd: this.#error ? null : (this.#target?.fd ?? null),
      position: this.#position,
    };
    this.#position += this.#filled;
    this.#thread.worker.postMessage(block);
  }

  /** Ends the sink; the worker answers when all earlier blocks are done. */
  #end(): void {
    if (this.#ended) return;
    this.#submit();
    this.#ended = true;
    this.#thread.worker.postMessage({ kind: 'end', sink: this.#id } satisfies EndMessage);
    this.#wake?.();
  }

  #assertOpen(): void {
    if (this.#error) throw this.#error;
    if (this.#ended) throw new UploadError('part_conflict', 'The attempt at this part was aborted.');
  }
}
