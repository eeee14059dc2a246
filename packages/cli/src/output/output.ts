/** The output of all commands: lines of JSON for programs, or text for people. */
import { once } from 'node:events';
import { describeFailure } from '../process/failure.ts';
import { printable, printableJson } from './printable.ts';

/** One line, or several. Line ends within a line are escaped. */
export type Lines = string | readonly string[];

export class Output {
  readonly json: boolean;
  #above: ((lines: string) => void) | null = null;

  constructor(json = false) {
    this.json = json;
  }

  /** While bars are drawn, `above` prints terminal output above them. Null ends this. */
  divert(above: ((lines: string) => void) | null): void {
    this.#above = above;
  }

  /**
   * One result: `value` as a line of JSON, or `text` without `--json`. @param prefix text of the program, which may
   * contain colours.
   */
  result(value: object, text: () => Lines, prefix = ''): void {
    if (this.json) this.event(value);
    else this.#write(process.stdout, `${prefix}${join(text())}`);
  }

  /** A table of results, for people only. */
  table(text: () => Lines): void {
    if (!this.json) this.#write(process.stdout, join(text()));
  }

  /** An intermediate event, for programs only. */
  event(value: object): void {
    if (this.json) this.#write(process.stdout, printableJson(value));
  }

  /** An intermediate message, for people only. */
  note(text: Lines): void {
    if (!this.json) this.#write(process.stderr, join(text));
  }

  /** Waits until standard output accepts more data. For commands with unlimited output. */
  async drained(): Promise<void> {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  }

  failure(error: unknown, path?: string): void {
    const failure = describeFailure(error);
    this.event({ event: 'error', ...(path === undefined ? {} : { path }), ...failure });
    const message = `cryolift: ${path === undefined ? '' : `${path}: `}${failure.message}`;
    this.note(failure.hint ? [message, `  ${failure.hint}`] : message);
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (this.#above && stream.isTTY) this.#above(text);
    else stream.write(`${text}\n`);
  }
}

function join(text: Lines): string {
  return typeof text === 'string' ? printable(text) : text.map(printable).join('\n');
}
