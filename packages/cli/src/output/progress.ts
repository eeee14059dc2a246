/** Progress of transfers: bars on a terminal, otherwise a line at intervals, JSON lines for programs. */
import { Bars } from './bars.ts';
import { Lines } from './lines.ts';
import type { Output } from './output.ts';
import type { Tally } from './tally.ts';
import type { Transfer } from './transfer.ts';

export interface Many {
  /** Transfers that run at the same time, at most. */
  readonly atOnce: number;
  /** The totals of all transfers; null when their number is not known. */
  readonly tally: Tally | null;
}

export class ProgressDisplay {
  readonly #output: Output;
  readonly #bars: Bars | null;
  readonly #shown: Bars | Lines;

  constructor(output: Output, many?: Many) {
    const tally = many?.tally ?? null;
    this.#output = output;
    this.#bars = output.json || !process.stderr.isTTY ? null : new Bars(many?.atOnce ?? 1, tally);
    this.#shown = this.#bars ?? new Lines(output, tally);
    output.divert(this.#bars && ((line) => this.#bars?.print(line)));
  }

  /** @param path shown instead of the name where it fits. */
  begin(name: string, totalBytes: number, path?: string): Transfer {
    return this.#shown.begin(name, totalBytes, path);
  }

  stop(): void {
    this.#bars?.stop();
    this.#output.divert(null);
  }
}
