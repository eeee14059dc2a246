/** Progress without a terminal: a line at intervals for a log, lines of JSON for programs. */
import { Rate } from '@cryolift/client';
import { formatBytes, formatSeconds } from './format.ts';
import type { Output } from './output.ts';
import type { Tally } from './tally.ts';
import { describeState, type Transfer } from './transfer.ts';

const LINE_EVERY_MS = 10_000;
const JSON_EVERY_MS = 500;

export class Lines {
  readonly #output: Output;
  readonly #tally: Tally | null;
  readonly #everyMs: number;
  readonly #totalRate = new Rate();
  #totalMs = performance.now();

  constructor(output: Output, tally: Tally | null) {
    this.#output = output;
    this.#tally = tally;
    this.#everyMs = output.json ? JSON_EVERY_MS : LINE_EVERY_MS;
  }

  begin(name: string, totalBytes: number, path = name): Transfer {
    const rate = new Rate();
    // One of many transfers gets a line only when it takes long or waits after an error.
    const quiet = this.#tally !== null && !this.#output.json;
    let printedMs = quiet ? performance.now() : Number.NEGATIVE_INFINITY;
    let printed: string | null = null;
    return {
      update: (doneBytes, state, lastError, movedBytes = doneBytes) => {
        rate.note(movedBytes);
        const bytesPerSecond = Math.round(rate.bytesPerSecond);
        this.#showTotal();
        const text = quiet ? lastError : describeState(state, lastError);
        const ms = performance.now();
        if (text === printed && ms - printedMs < this.#everyMs) return;
        printedMs = ms;
        printed = text;
        const transfer = { name, path, state, trouble: lastError, bytes: doneBytes, size: totalBytes };
        this.#output.event({ event: 'progress', ...transfer, bytes_per_second: bytesPerSecond });
        const now = describeState(state, lastError);
        this.#output.note(`${path}: ${now}, ${percent(doneBytes, totalBytes)}${speed(bytesPerSecond)}`);
      },
      end() {},
    };
  }

  #showTotal(): void {
    if (!this.#tally) return;
    const { files, bytes, done, already, failed, sum } = this.#tally;
    this.#totalRate.note(this.#tally.passedBytes);
    const bytesPerSecond = Math.round(this.#totalRate.bytesPerSecond);
    const ms = performance.now();
    if (ms - this.#totalMs < this.#everyMs) return;
    this.#totalMs = ms;
    const figures = { files, done, already, failed, bytes: sum.storedBytes, size: bytes };
    this.#output.event({ event: 'total', ...figures, bytes_per_second: bytesPerSecond });
    const ended = `${done + already} of ${files} files${failed > 0 ? `, ${failed} failed` : ''}`;
    const left = bytesPerSecond > 0 ? `, ${formatSeconds((bytes - sum.storedBytes) / bytesPerSecond)} left` : '';
    this.#output.note(`${ended}, ${percent(sum.storedBytes, bytes)}${speed(bytesPerSecond)}${left}`);
  }
}

function percent(doneBytes: number, totalBytes: number): string {
  return `${totalBytes === 0 ? 100 : Math.floor((doneBytes * 100) / totalBytes)}% of ${formatBytes(totalBytes)}`;
}

function speed(bytesPerSecond: number): string {
  return bytesPerSecond > 0 ? `, ${formatBytes(bytesPerSecond)}/s` : '';
}
