/** What is printed: lines of JSON for programs, or text for people. */
import { describeFailure } from './exit.ts';

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** One result: `value` as a line of JSON, or `text` for a person. */
  result(value: object, text: () => string): void {
    process.stdout.write(`${this.json ? JSON.stringify(value) : text()}\n`);
  }

  /** Something on the way, of interest to a person only. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }

  failure(error: unknown, about?: string): void {
    const failure = describeFailure(error);
    if (this.json) {
      process.stdout.write(`${JSON.stringify({ event: 'error', ...(about ? { path: about } : {}), ...failure })}\n`);
      return;
    }
    process.stderr.write(`cryolift: ${about ? `${about}: ` : ''}${failure.message}\n`);
    if (failure.hint) process.stderr.write(`  ${failure.hint}\n`);
  }
}
