/** What is printed: lines of JSON for programs, or text for people. */
import { describeFailure } from './failure.ts';

export class Output {
  readonly json: boolean;

  constructor(json = false) {
    this.json = json;
  }

  /** One result: `value` as a line of JSON, or `text` for a person. */
  result(value: object, text: () => string): void {
    process.stdout.write(`${this.json ? JSON.stringify(value) : text()}\n`);
  }

  /** Something on the way, of interest to a program only. */
  event(value: object): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Something on the way, of interest to a person only. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }

  failure(error: unknown, path?: string): void {
    const failure = describeFailure(error);
    this.event({ event: 'error', ...(path === undefined ? {} : { path }), ...failure });
    this.note(`cryolift: ${path === undefined ? '' : `${path}: `}${failure.message}`);
    if (failure.hint) this.note(`  ${failure.hint}`);
  }
}
