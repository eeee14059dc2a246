/** A run that was wrong. */
export interface Failure {
  /** The shrunk commands, one a line. */
  readonly commands: readonly string[];
  /** The order of steps of calls at once. */
  readonly steps?: readonly string[];
  readonly message: string;
  /** Flags of `main.ts` that repeat it. */
  readonly flags: string;
}

/** What to do about it. */
export function printFailure({ commands: lines, steps = [], message, flags }: Failure): string {
  return [
    `WRONG after ${lines.length} commands:`,
    ...[...lines, ...steps].map((line) => `  ${line}`),
    ...message.split('\n').map((line) => `  => ${line}`),
    `Repeat it: node suites/model/main.ts ${flags}`,
  ].join('\n');
}
