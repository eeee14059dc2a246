/** Exit codes (page 7 of the architecture), and the errors that only the command line has. */

export const EXIT = { done: 0, failed: 1, usage: 2, unauthorised: 3, someFailed: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Invalid arguments. */
export class UsageError extends Error {}

/** No token was given. */
export class NoTokenError extends Error {}

/** Ctrl-C or SIGTERM: the progress is kept. */
export class Interrupted extends Error {}

/** The command refuses for a local reason. */
export class Refusal extends Error {
  readonly code: string;
  readonly hint: string;
  readonly details: object | undefined;

  constructor(code: string, message: string, hint: string, details?: object) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}
