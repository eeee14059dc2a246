/** Progress bars on a terminal: a row for each running transfer, and a total below them. */
import { Rate } from '@cryolift/client';
import { MultiBar, type Options, type Params, type SingleBar } from 'cli-progress';
import { formatBytes, formatSeconds } from './format.ts';
import { printable } from './printable.ts';
import type { Tally } from './tally.ts';
import { describeState, type Transfer } from './transfer.ts';

const DONE_WIDTH = '1023.9 MiB'.length;
/** Width of the numbers next to name and bar. They fit in 80 columns. */
const FIGURES_WIDTH = '  100% 1023.9 MiB of 99.9 TiB  99.9 MiB/s  12 min 30 s left'.length;
/** States in which the rate is shown instead of the state. */
const MOVING = ['sending', 'receiving'];

/** The content of a row; null while no transfer uses it. */
interface Row {
  readonly name: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly now: string;
}

export class Bars {
  readonly #bars: MultiBar;
  /** Rows that no transfer uses. */
  readonly #free: SingleBar[];
  readonly #onExit = () => this.stop();

  /** @param atOnce transfers, at most. */
  constructor(atOnce: number, tally: Tally | null) {
    const { stderr } = process;
    this.#bars = new MultiBar({
      format: draw,
      stream: stderr,
      hideCursor: true,
      fps: 10,
      // The rows move down when a line is inserted above them.
      forceRedraw: true,
      clearOnComplete: true,
      // Ctrl-C pauses the transfers first; the bars stay until that is done.
      gracefulExit: false,
    });
    const count = Math.max(1, Math.min(atOnce, (stderr.rows ?? 24) - 2));
    this.#free = Array.from({ length: count }, () => this.#bars.create(1, 0, { row: () => null }));
    if (tally) this.#bars.create(1, 0, { row: totalRow(tally) });
    process.once('exit', this.#onExit);
  }

  begin(title: string, totalBytes: number): Transfer {
    const rate = new Rate();
    const name = printable(title);
    let row: Row = { name, doneBytes: 0, totalBytes, now: '' };
    const bar = this.#free.shift();
    bar?.update(0, { row: () => row });
    return {
      update(doneBytes, state, lastError, movedBytes = doneBytes) {
        rate.note(movedBytes);
        const speed = rate.bytesPerSecond;
        const moving = speed > 0 && doneBytes < totalBytes && MOVING.includes(state) && lastError === null;
        const now = moving ? pace(speed, totalBytes - doneBytes) : printable(describeState(state, lastError));
        row = { name, doneBytes, totalBytes, now };
      },
      end: () => {
        bar?.update(0, { row: () => null });
        if (bar) this.#free.push(bar);
      },
    };
  }

  /** Prints lines above the bars; they may be wider than the terminal. */
  print(text: string): void {
    const [clearBelow, wrap, noWrap] = ['\x1b[J', '\x1b[?7h', '\x1b[?7l'];
    this.#bars.log(`${clearBelow}${wrap}${text}\n${noWrap}`);
  }

  /** Removes the bars. */
  stop(): void {
    if (!this.#bars.isActive) return;
    // Lines may wait to be printed.
    this.#bars.update();
    this.#bars.stop();
    process.off('exit', this.#onExit);
  }
}

function totalRow(tally: Tally): () => Row {
  const rate = new Rate();
  return () => {
    const { files, bytes, done, already, failed, sum } = tally;
    rate.note(tally.passedBytes);
    const speed = rate.bytesPerSecond;
    const left = bytes - sum.storedBytes;
    const name = `${done + already} of ${files} files${failed > 0 ? `, ${failed} failed` : ''}`;
    return { name, doneBytes: sum.storedBytes, totalBytes: bytes, now: speed > 0 && left > 0 ? pace(speed, left) : '' };
  };
}

function draw(_: Options, { maxWidth: width }: Params, { row: getRow }: { row: () => Row | null }): string {
  const row = getRow();
  if (row === null) return '';
  const { name, doneBytes, totalBytes, now } = row;
  const nameWidth = clamp(width - FIGURES_WIDTH - 8, 16, 30);
  // The end of a path is the more useful part.
  const shown = name.length > nameWidth ? `…${name.slice(1 - nameWidth)}` : name.padEnd(nameWidth);
  const part = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const barWidth = clamp(width - FIGURES_WIDTH - nameWidth, 8, 24);
  const full = Math.round(part * barWidth);
  const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  return `${shown} ${bar} ${percent} ${formatBytes(doneBytes).padStart(DONE_WIDTH)} of ${formatBytes(totalBytes)}  ${now}`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

function pace(bytesPerSecond: number, leftBytes: number): string {
  return `${formatBytes(bytesPerSecond)}/s  ${formatSeconds(leftBytes / bytesPerSecond)} left`;
}
