/** What a check found. */

export interface Finding {
  /** Stable name of the check, `snake_case`. */
  readonly check: string;
  /** `warn`: uploads work, but slower or with fewer checks. `fail`: uploads do not work, or not correctly. */
  readonly outcome: 'ok' | 'warn' | 'fail';
  /** One line of text. */
  readonly found: string;
  /** Advice; null when nothing has to be done. */
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
