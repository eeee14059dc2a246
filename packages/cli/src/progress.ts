/** Progress of transfers: a bar per file on a terminal, a line now and then elsewhere, JSON lines for programs. */
import { MultiBar, type SingleBar } from 'cli-progress';
import { formatBytes, formatSeconds } from './format.ts';
import type { Output } from './output.ts';

/** Where there is no terminal, a line each. */
const LINE_EVERY_MS = 10_000;
const JSON_EVERY_MS = 500;
/** Rates are of the last seconds, so that they follow the network. */
const RATE_WINDOW_MS = 10_000;

const NAME_WIDTH = 26;
const DONE_WIDTH = '1023.9 MiB'.length;
/** States in which a rate says more than the state. */
const MOVING = ['sending', 'receiving'];

export interface Transfer {
  /** @param doneBytes acknowledged ones. @param state in a word. @param trouble that is being waited out, if any. */
  update(doneBytes: number, state: string, trouble: string | null): void;
}

export class ProgressDisplay {
  readonly #output: Output;
  readonly #bars: MultiBar | null;

  constructor(output: Output) {
    this.#output = output;
    this.#bars =
      output.json || !process.stderr.isTTY
        ? null
        : new MultiBar({
            format: '{name} {bar} {percentage}%  {done} of {all}  {now}',
            stream: process.stderr,
            hideCursor: true,
            barsize: Math.max(8, Math.min(24, (process.stderr.columns ?? 80) - 84)),
            barCompleteChar: '█',
            barIncompleteChar: '░',
            autopadding: true,
            fps: 10,
          });
  }

  begin(name: string, totalBytes: number): Transfer {
    return this.#bars
      ? new BarTransfer(this.#bars, name, totalBytes)
      : new LineTransfer(this.#output, name, totalBytes);
  }

  /** Leaves the last picture standing. */
  stop(): void {
    this.#bars?.stop();
  }
}

/** Bytes per second over the last seconds. Begins to count after planning: what is resumed was not sent now. */
class Rate {
  readonly #samples: { ms: number; bytes: number }[] = [];

  note(bytes: number): number {
    const ms = performance.now();
    this.#samples.push({ ms, bytes });
    while ((this.#samples[1]?.ms ?? ms) < ms - RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? { ms, bytes };
    return ms - first.ms < 200 ? 0 : ((bytes - first.bytes) * 1000) / (ms - first.ms);
  }
}

class BarTransfer implements Transfer {
  readonly #bar: SingleBar;
  readonly #totalBytes: number;
  readonly #rate = new Rate();

  constructor(bars: MultiBar, name: string, totalBytes: number) {
    this.#totalBytes = totalBytes;
    const shown = name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}…` : name.padEnd(NAME_WIDTH);
    this.#bar = bars.create(Math.max(1, totalBytes), 0, {
      name: shown,
      done: formatBytes(0).padStart(DONE_WIDTH),
      all: formatBytes(totalBytes),
      now: '',
    });
  }

  update(doneBytes: number, state: string, trouble: string | null): void {
    const rate = state === 'planning' ? 0 : this.#rate.note(doneBytes);
    const moving = rate > 0 && doneBytes < this.#totalBytes && MOVING.includes(state) && trouble === null;
    const left = formatSeconds((this.#totalBytes - doneBytes) / rate);
    this.#bar.update(this.#totalBytes === 0 ? 1 : doneBytes, {
      done: formatBytes(doneBytes).padStart(DONE_WIDTH),
      now: moving ? `${formatBytes(rate)}/s  ${left} left` : describe(state, trouble),
    });
  }
}

class LineTransfer implements Transfer {
  readonly #output: Output;
  readonly #name: string;
  readonly #totalBytes: number;
  readonly #rate = new Rate();
  #printedMs = Number.NEGATIVE_INFINITY;
  #printed = '';

  constructor(output: Output, name: string, totalBytes: number) {
    this.#output = output;
    this.#name = name;
    this.#totalBytes = totalBytes;
  }

  update(doneBytes: number, state: string, trouble: string | null): void {
    const bytesPerSecond = state === 'planning' ? 0 : Math.round(this.#rate.note(doneBytes));
    const now = describe(state, trouble);
    const ms = performance.now();
    const every = this.#output.json ? JSON_EVERY_MS : LINE_EVERY_MS;
    if (now === this.#printed && ms - this.#printedMs < every) return;
    this.#printedMs = ms;
    this.#printed = now;
    const transfer = { name: this.#name, state, trouble, bytes: doneBytes, size: this.#totalBytes };
    this.#output.event({ event: 'progress', ...transfer, bytes_per_second: bytesPerSecond });
    const percent = this.#totalBytes === 0 ? 100 : Math.floor((doneBytes * 100) / this.#totalBytes);
    const speed = bytesPerSecond > 0 ? `, ${formatBytes(bytesPerSecond)}/s` : '';
    this.#output.note(`${this.#name}: ${now}, ${percent}% of ${formatBytes(this.#totalBytes)}${speed}`);
  }
}

function describe(state: string, trouble: string | null): string {
  return trouble === null ? state : `waiting: ${trouble}`;
}
