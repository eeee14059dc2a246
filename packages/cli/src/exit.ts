/** Exit codes (CONTRACT section 7), and which failure leads to which. */
import { ConnectionError, ServerError, SourceError } from '@cryolift/client';

export const EXIT = { done: 0, failed: 1, usage: 2, unauthorised: 3, someFailed: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was called wrongly. */
export class UsageError extends Error {}

/** Ctrl-C or SIGTERM: what was reached is kept. */
export class Interrupted extends Error {}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof ServerError && (error.status === 401 || error.status === 403)) return EXIT.unauthorised;
  return EXIT.failed;
}

/** A failure as the fields that both forms of output show. */
export function describeFailure(error: unknown): {
  code: string;
  message: string;
  hint: string | null;
  details?: object;
} {
  if (error instanceof ServerError) {
    const { code, message, hint, details } = error;
    return { code, message, hint, details: { ...details, request_id: error.requestId } };
  }
  if (error instanceof SourceError) return { code: error.code, message: error.message, hint: error.hint };
  if (error instanceof ConnectionError) return { code: 'connection', message: error.message, hint: error.hint };
  if (error instanceof UsageError) return { code: 'usage', message: error.message, hint: 'cryolift --help' };
  if (error instanceof Interrupted) return { code: 'interrupted', message: error.message, hint: null };
  const { code, message } = error as NodeJS.ErrnoException;
  return { code: code ?? 'failed', message: message ?? String(error), hint: null };
}
