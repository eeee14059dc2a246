/** The output of all commands: lines of JSON for programs, or text for people. */
import { once } from 'node:events';
import { describeFailure } from '../process/failure.ts';
import { printable, printableJson } from './printable.ts';

/** One line, or several. Line ends within a line are escaped. */
export type Lines = string | readonly string[];

/** For one of several folders that a process watches. */
export interface OutputHooks {
  /** Begins each message, and is a field of each event. */
  readonly folder?: string;
  /** Receives every event, also without `--json`. */
  readonly onEvent?: (event: object) => void;
  /** Receives every message for people, also with `--json`. */
  readonly log?: (lines: string) => void;
}

export class Output {
  readonly json: boolean;
  readonly #hooks: OutputHooks;
  #above: ((lines: string) => void) | null = null;

  constructor(json = false, hooks: OutputHooks = {}) {
    this.json = json;
    this.#hooks = hooks;
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
    this.event(value);
    if (this.json) this.#hooks.log?.(this.#join(text()));
    else this.#say(process.stdout, text(), prefix);
  }

  /** A table of results, for people only. */
  table(text: () => Lines): void {
    if (!this.json) this.#write(process.stdout, this.#join(text()));
  }

  /** An intermediate event, for programs only. */
  event(value: object): void {
    const { folder, onEvent } = this.#hooks;
    onEvent?.(value);
    if (this.json) this.#write(process.stdout, printableJson(folder === undefined ? value : { folder, ...value }));
  }

  /** An intermediate message, for people only. */
  note(text: Lines): void {
    if (this.json) this.#hooks.log?.(this.#join(text));
    else this.#say(process.stderr, text);
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

  #say(stream: NodeJS.WriteStream, text: Lines, prefix = ''): void {
    const lines = this.#join(text);
    this.#hooks.log?.(lines);
    this.#write(stream, `${prefix}${lines}`);
  }

  #join(text: Lines): string {
    const { folder } = this.#hooks;
    const label = folder === undefined ? '' : `[${printable(folder)}] `;
    const lines = typeof text === 'string' ? [text] : text;
    return lines.map((line) => `${label}${printable(line)}`).join('\n');
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (this.#above && stream.isTTY) this.#above(text);
    else stream.write(`${text}\n`);
  }
}
