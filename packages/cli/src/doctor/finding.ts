/** What a check found. */

export interface Finding {
  /** Stable name of the check, `snake_case`. */
  readonly check: string;
  /** `warn`: uploads work, but something is lost by it. `fail`: they do not, or not as they should. */
  readonly outcome: 'ok' | 'warn' | 'fail';
  /** One line for a person. */
  readonly found: string;
  /** What to do about it; null when there is nothing to do. */
  readonly mend: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, outcome: 'ok', found, mend: null };
}

export function warn(check: string, found: string, mend: string): Finding {
  return { check, outcome: 'warn', found, mend };
}

export function fail(check: string, found: string, mend: string): Finding {
  return { check, outcome: 'fail', found, mend };
}
