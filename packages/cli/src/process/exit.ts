/** Exit codes (page 7 of the architecture), and the errors that only the command line has. */

export const EXIT = { done: 0, failed: 1, usage: 2, unauthorised: 3, someFailed: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Invalid arguments. */
export class UsageError extends Error {}

/** A settings file with faults. */
export class InvalidSettings extends UsageError {
  readonly path: string;
  readonly faults: readonly { readonly line: number; readonly message: string }[];

  /** @param faults at least one. */
  constructor(path: string, faults: InvalidSettings['faults']) {
    super(`${path}: ${faults.map(({ line, message }) => `line ${line}: ${message}`).join('; ')}`);
    this.path = path;
    this.faults = faults;
  }
}

/** No token was given. */
export class NoTokenError extends Error {}

/** The sign-in by `cryolift login` has ended, or its tokens cannot be read. */
export class SignedOutError extends Error {}

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
