/** The log of a watch: text lines with the time, of bounded size. */
import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';

/** Above this size, the log is renamed to `….1`, and so on up to the oldest. */
const MOST_BYTES = 1024 * 1024;
const OLDEST = 4;
/** Where files cannot be renamed, lines are dropped above this size. */
const HARD_BYTES = 4 * MOST_BYTES;

export class LogFile {
  readonly #path: string;
  readonly #mostBytes: number;
  #bytes: number;
  /** Lines that could not be written. */
  #lost = 0;

  constructor(path: string, mostBytes = MOST_BYTES) {
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Throws nothing: a full disk must not stop the watch. Lost lines are counted in the log when it works again. */
  write(text: string): void {
    const time = localTime(new Date());
    const lines = text.split('\n');
    const lost = this.#lost > 0 ? [`${this.#lost} lines could not be written`] : [];
    const bytes = Buffer.from([...lost, ...lines].map((line) => `${time} ${line}\n`).join(''));
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#mostBytes) this.#rotate();
      if (this.#bytes + bytes.length > Math.max(HARD_BYTES, bytes.length)) throw new Error('the log is full');
      // Opened for each text: nobody is kept from renaming or deleting it.
      appendFileSync(this.#path, bytes, { mode: 0o644 });
      this.#bytes += bytes.length;
      this.#lost = 0;
    } catch {
      this.#lost += lines.length;
    }
  }

  /** A process that is killed here leaves a gap in the numbers, which the next rotation closes. */
  #rotate(): void {
    try {
      for (let number = OLDEST; number > 0; number--) {
        const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
        if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${this.#path}.${number}`);
      }
      this.#bytes = 0;
    } catch {
      // On Windows, another program has the file open. The next line tries again.
    }
  }
}

/** @returns the last lines, oldest first. @param count lines at most. */
export function readLastLines(path: string, count: number): string[] {
  let lines: string[] = [];
  for (let number = 0; number <= OLDEST && lines.length < count; number++) {
    const older = readOrNothing(number === 0 ? path : `${path}.${number}`);
    lines = [...older.split('\n').slice(0, -1), ...lines];
  }
  return lines.slice(-count);
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** RFC 3339 in the time zone of this machine: `2026-11-30T10:15:00+01:00`. */
function localTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

/** Reads what is added to a log, also while it is renamed. */
export class LogFollower {
  readonly #path: string;
  /** Bytes of the current file that were read. */
  #at: number;

  constructor(path: string) {
    this.#path = path;
    this.#at = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** @returns the complete lines since the last call. */
  next(): string[] {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === this.#at) return [];
    const rest = size < this.#at ? this.#read(`${this.#path}.1`) : [];
    if (size < this.#at) this.#at = 0;
    return [...rest, ...this.#read(this.#path)];
  }

  #read(path: string): string[] {
    const added = Buffer.from(readOrNothing(path)).subarray(this.#at);
    const end = added.lastIndexOf('\n') + 1;
    this.#at += end;
    return added.subarray(0, end).toString().split('\n').slice(0, -1);
  }
}
