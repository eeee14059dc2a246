/**
 * Standard error as the destination of the log. It never blocks, stops or ends the server, and its memory is bounded:
 * lines that cannot be written are lost and counted, and the log says how many as soon as it can be written again.
 */
import { fstatSync, write as writeFd } from 'node:fs';

/** Limit of the lines that wait for the current write, which can have the same size. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Delay before a write is repeated when the pipe is full. */
const BUSY_MS = 100;
/** Delay before lost lines are reported when no new line arrives. */
const TELL_MS = 5_000;

/** Writes bytes without blocking this thread. @returns the number of written bytes. */
export type Put = (bytes: Buffer, done: (error: NodeJS.ErrnoException | null, writtenBytes: number) => void) => void;

export class LogStream {
  readonly #put: Put;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  /** The last line is incomplete: the next one must start with a line break. */
  #isTorn = false;
  #lostLines = 0;
  #toldLines = 0;
  #reportTimer: NodeJS.Timeout | undefined;
  #whenIdle: (() => void) | null = null;

  constructor(put: Put = putToStandardError()) {
    this.#put = put;
  }

  /** Lines that could not be written since the start. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** @param line with its line break. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#lostLines++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    if (!this.#isWriting) this.#writeWaiting();
  }

  /** Resolves when everything is written, or after `ms`. */
  async close(ms: number): Promise<void> {
    clearTimeout(this.#reportTimer);
    if (!this.#isWriting) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      setTimeout(resolve, ms);
    });
  }

  #writeWaiting(): void {
    const lines = this.#waiting.length;
    const untold = this.#lostLines - this.#toldLines;
    const notice = `${this.#isTorn ? '\n' : ''}${untold > 0 ? describeLoss(untold) : ''}`;
    const bytes = Buffer.from(notice + this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isWriting = true;
    this.#send(bytes, 0, (error, writtenBytes) => {
      this.#isWriting = false;
      if (writtenBytes > 0) this.#isTorn = bytes[writtenBytes - 1] !== 0x0a;
      if (writtenBytes >= Buffer.byteLength(notice)) this.#toldLines += untold;
      if (error) this.#lostLines += Math.min(lines, countLines(bytes.subarray(writtenBytes)));
      if (this.#waiting.length > 0) this.#writeWaiting();
      else this.#rest();
    });
  }

  #send(bytes: Buffer, from: number, done: (error: Error | null, writtenBytes: number) => void): void {
    this.#put(bytes.subarray(from), (error, count) => {
      const at = from + count;
      if (error?.code === 'EAGAIN') setTimeout(() => this.#send(bytes, at, done), BUSY_MS).unref();
      else if (error || at === bytes.length) done(error, at);
      else this.#send(bytes, at, done);
    });
  }

  #rest(): void {
    this.#whenIdle?.();
    clearTimeout(this.#reportTimer);
    if (this.#lostLines === this.#toldLines) return;
    this.#reportTimer = setTimeout(() => {
      if (!this.#isWriting) this.#writeWaiting();
    }, TELL_MS).unref();
  }
}

function describeLoss(lostLines: number): string {
  const message = 'lines of this log could not be written';
  return `${JSON.stringify({ level: 40, time: new Date().toISOString(), lost_lines: lostLines, msg: message })}\n`;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

/** A pipe without a reader would block a pool thread permanently: Node's own stream does not wait for it. */
function putToStandardError(): Put {
  const place = fstatSync(2);
  if (!place.isFIFO() && !place.isSocket())
    return (bytes, done) => writeFd(2, bytes, (error, count) => done(error, count ?? 0));
  return (bytes, done) => void process.stderr.write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length));
}
