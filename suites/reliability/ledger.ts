/** What the server was asked and what it has answered, upload by upload: what it is held to afterwards. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { sha256Hex } from '../contract/sample.ts';
import { makeContent } from './content.ts';

/** `asked` without an answer: it may have been done. */
export type Step = 'no' | 'asked' | 'answered';

/** When the client declares the SHA-256 of the whole file; `wrong`: at complete, and another one. */
type Declaring = 'init' | 'complete' | 'never' | 'wrong';

export interface Plan {
  readonly owner: string;
  /** No two entries have the same. */
  readonly filename: string;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly declares: Declaring;
  /** The command line keeps count of its parts itself, and tus has none. */
  readonly by: 'wire' | 'command' | 'tus';
}

export class Entry {
  readonly plan: Plan;
  readonly sha256: string;
  /** Null until init was answered. */
  upload: UploadRecord | null = null;
  /** Parts that were answered with 201 or 200. */
  readonly acknowledged = new Set<number>();
  completed: Step = 'no';
  cancelled: Step = 'no';
  deleted: Step = 'no';
  /** The file, once complete was answered. */
  fileId: string | null = null;
  /** Complete answered that the declared SHA-256 is not that of the bytes. */
  failed = false;
  /** Its client does nothing more with it. */
  left = false;
  /** Something was asked since the last check. */
  touched = true;

  constructor(plan: Plan) {
    this.plan = plan;
    this.sha256 = sha256Hex(this.makeBytes());
  }

  makeBytes(): Buffer {
    return makeContent(this.plan.filename, this.plan.sizeBytes);
  }

  /** Nothing is left to be done with the upload; its file may still be deleted. */
  get ended(): boolean {
    return this.completed === 'answered' || this.cancelled === 'answered' || this.failed;
  }
}

export interface Counts {
  uploads: number;
  acknowledgedParts: number;
  /** Bodies of tus that were answered for. */
  appends: number;
  completes: number;
  cancels: number;
  deletes: number;
  /** Acknowledged parts that the server has asked for again. */
  takenBackParts: number;
}

export class Ledger {
  readonly entries: Entry[] = [];
  readonly counts: Counts = {
    uploads: 0,
    acknowledgedParts: 0,
    appends: 0,
    completes: 0,
    cancels: 0,
    deletes: 0,
    takenBackParts: 0,
  };
  /** What the server did and must not do. */
  readonly faults: string[] = [];
  readonly #wrong = new Set<Entry>();

  open(plan: Plan): Entry {
    const entry = new Entry(plan);
    this.entries.push(entry);
    this.counts.uploads++;
    return entry;
  }

  /** A client that asks again and again gets the same wrong answer: it is one fault. */
  noteFault(entry: Entry | null, what: string): void {
    const { filename, owner } = entry?.plan ?? {};
    const whose = entry ? `${filename} of ${owner} (${entry.upload?.upload_id ?? 'no id'}): ` : '';
    const fault = (whose + what).replace(/"request_id":"[^"]*"/, '"request_id":"…"');
    if (entry) this.#wrong.add(entry);
    if (!this.faults.includes(fault)) this.faults.push(fault);
  }

  /** Whether something was wrong with this upload. */
  hasFault(entry: Entry): boolean {
    return this.#wrong.has(entry);
  }

  notePart(entry: Entry, idx: number): void {
    if (!entry.acknowledged.has(idx)) this.counts.acknowledgedParts++;
    entry.acknowledged.add(idx);
  }

  /** Parts that the server says are missing. @param mayLose false: it must not have lost one that it has acknowledged. */
  noteMissing(entry: Entry, missing: Iterable<number>, mayLose: boolean): void {
    const lost = [...missing].filter((idx) => entry.acknowledged.delete(idx));
    this.counts.takenBackParts += lost.length;
    if (lost.length > 0 && !mayLose) this.noteFault(entry, `acknowledged parts are lost: ${lost.join()}`);
  }

  noteCompleted(entry: Entry, fileId: string): void {
    if (entry.completed !== 'answered') this.counts.completes++;
    if (entry.fileId !== null && entry.fileId !== fileId) {
      this.noteFault(entry, `complete has answered the files ${entry.fileId} and ${fileId}`);
    }
    entry.completed = 'answered';
    entry.fileId = fileId;
  }

  noteCancelled(entry: Entry): void {
    if (entry.cancelled !== 'answered') this.counts.cancels++;
    entry.cancelled = 'answered';
  }

  noteDeleted(entry: Entry): void {
    if (entry.deleted !== 'answered') this.counts.deletes++;
    entry.deleted = 'answered';
  }
}
