/** What is printed: lines of JSON for programs, or text for people. */
import { once } from 'node:events';
import { describeFailure } from './failure.ts';

export class Output {
  readonly json: boolean;
  #above: ((line: string) => void) | null = null;

  constructor(json = false) {
    this.json = json;
  }

  /** While bars are drawn: `above` puts what goes to the terminal over them. Null ends it. */
  divert(above: ((line: string) => void) | null): void {
    this.#above = above;
  }

  /** One result: `value` as a line of JSON, or `text` for a person. */
  result(value: object, text: () => string): void {
    this.#write(process.stdout, this.json ? JSON.stringify(value) : text());
  }

  /** Something on the way, of interest to a program only. */
  event(value: object): void {
    if (this.json) this.#write(process.stdout, JSON.stringify(value));
  }

  /** Something on the way, of interest to a person only. */
  note(text: string): void {
    if (!this.json) this.#write(process.stderr, text);
  }

  /** Waits while standard output holds more than its reader has taken. For commands whose output has no bound. */
  async drained(): Promise<void> {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  }

  failure(error: unknown, path?: string): void {
    const failure = describeFailure(error);
    this.event({ event: 'error', ...(path === undefined ? {} : { path }), ...failure });
    const hint = failure.hint ? `\n  ${failure.hint}` : '';
    this.note(`cryolift: ${path === undefined ? '' : `${path}: `}${failure.message}${hint}`);
  }

  #write(stream: NodeJS.WriteStream, line: string): void {
    if (this.#above && stream.isTTY) this.#above(line);
    else stream.write(`${line}\n`);
  }
}
