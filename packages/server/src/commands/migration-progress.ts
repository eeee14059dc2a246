/** The progress of `cryolift migrate`: a line at each step and at intervals, JSON lines for programs. */
import { formatBytes, formatSeconds } from 'cryolift/format';
import type { Output } from 'cryolift/output';
import type { Observer, Step, Total } from '../relocation/relocation.ts';

const SAY_MS = 5_000;
/** For programs, which follow it more closely. */
const EVENT_MS = 200;

const TITLES: Readonly<Record<Step, string>> = {
  rows: 'copying the database',
  comparison: 'comparing the rows of both databases',
  uploads: 'copying uploads under way',
  files: 'copying files',
};

export interface Counts {
  readonly rows: number;
  /** Files of this run. */
  readonly files: number;
  /** Bytes of files and parts of this run. */
  readonly bytes: number;
  /** Files that an earlier run copied. */
  readonly already_copied: number;
}

export class MigrationProgress implements Observer {
  readonly #output: Output;
  #step: Step = 'rows';
  #total: Total | null = null;
  #rows = 0;
  #files = 0;
  #bytes = 0;
  #already = 0;
  #alreadyBytes = 0;
  /** When the step began, and the bytes before it. */
  #begunMs = 0;
  #bytesBefore = 0;
  #saidMs = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  get counts(): Counts {
    return { rows: this.#rows, files: this.#files, bytes: this.#bytes, already_copied: this.#already };
  }

  begin(step: Step, total: Total | null): void {
    this.#step = step;
    this.#total = total;
    this.#begunMs = performance.now();
    this.#saidMs = this.#begunMs;
    this.#bytesBefore = this.#bytes;
    this.#output.event({ event: 'step', step, ...(total ? { files: total.files, bytes: total.bytes } : {}) });
    this.#output.note(TITLES[step] + (total ? ` (${total.files}, ${formatBytes(total.bytes)})` : ''));
  }

  noteRows(rows: number): void {
    this.#rows += rows;
    this.#say();
  }

  noteBytes(bytes: number): void {
    this.#bytes += bytes;
    this.#say();
  }

  noteFile(sizeBytes: number, isCopied: boolean): void {
    if (isCopied) this.#files++;
    else {
      this.#already++;
      this.#alreadyBytes += sizeBytes;
    }
    this.#say();
  }

  #say(): void {
    const nowMs = performance.now();
    if (nowMs - this.#saidMs < (this.#output.json ? EVENT_MS : SAY_MS)) return;
    this.#saidMs = nowMs;
    this.#output.event({ event: 'progress', step: this.#step, ...this.counts });
    this.#output.note(this.#describe(nowMs));
  }

  #describe(nowMs: number): string {
    if (this.#step === 'rows' || this.#step === 'comparison') return `  ${this.#rows} rows`;
    const moved = this.#bytes - this.#bytesBefore;
    const bytesPerSecond = Math.round((moved * 1000) / Math.max(1, nowMs - this.#begunMs));
    const rate = `${formatBytes(bytesPerSecond)}/s`;
    if (!this.#total) return `  ${formatBytes(moved)}, ${rate}`;
    const done = moved + this.#alreadyBytes;
    const left = bytesPerSecond > 0 ? `, ${formatSeconds((this.#total.bytes - done) / bytesPerSecond)} left` : '';
    const files = `${this.#files + this.#already} of ${this.#total.files} files`;
    return `  ${files}, ${formatBytes(done)} of ${formatBytes(this.#total.bytes)}, ${rate}${left}`;
  }
}
