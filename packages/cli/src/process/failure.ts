/** Maps an error to an exit code and to the fields of the error envelope. */
import {
  ConnectionError,
  ForeignReplyError,
  isOverload,
  ServerError,
  SourceError,
  TargetError,
} from '@cryolift/client';
import { describeSystemError, isSystemError } from '@cryolift/client/node';
import {
  EXIT,
  type ExitCode,
  Interrupted,
  InvalidSettings,
  NoTokenError,
  Refusal,
  SignedOutError,
  UsageError,
} from './exit.ts';
import { toCommandHint } from './hints.ts';

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof NoTokenError || error instanceof SignedOutError) return EXIT.unauthorised;
  if (error instanceof ServerError && (error.status === 401 || error.status === 403)) return EXIT.unauthorised;
  return EXIT.failed;
}

/** True when the error is about the connection or the token, so that every other file would fail too. */
export function isAboutServer(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof ForeignReplyError) return true;
  // The file of the token, which is read again after the token expired, cannot be read.
  if (error instanceof UsageError) return true;
  return exitCodeOf(error) === EXIT.unauthorised || (error instanceof ServerError && isOverload(error.status));
}

/** The error envelope (page 7 of the architecture); without `request_id` when no request was sent. */
interface Failure {
  code: string;
  message: string;
  hint: string | null;
  retryable: boolean;
  request_id?: string;
  details?: object;
}

export function describeFailure(error: unknown): Failure {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const own = (code: string, hint: string | null, retryable = false) => ({ code, message, hint, retryable });
  if (error instanceof ServerError) {
    const { code, retryable, requestId, details } = error;
    const hint = toCommandHint(code, error.hint);
    const more = Object.keys(details).length > 0 ? { details } : {};
    return { code, message, hint, retryable, request_id: requestId, ...more };
  }
  if (error instanceof ConnectionError) return own('connection_failed', error.hint, true);
  if (error instanceof ForeignReplyError) return own('foreign_reply', error.hint);
  if (error instanceof SourceError || error instanceof TargetError) return own(error.code, error.hint);
  if (error instanceof Refusal) {
    return { ...own(error.code, error.hint), ...(error.details ? { details: error.details } : {}) };
  }
  if (error instanceof InvalidSettings) {
    const { path, faults } = error;
    const hint = 'Correct the settings file; `cryolift config check` checks it.';
    return { ...own('invalid_settings', hint), details: { path, faults } };
  }
  if (error instanceof UsageError) return own('usage', 'See `cryolift --help`.');
  if (error instanceof NoTokenError) {
    return own(
      'unauthenticated',
      'Sign in with `cryolift login`, or give --token @FILE or CRYOLIFT_TOKEN; `cryolift token` on the server makes one.',
    );
  }
  if (error instanceof SignedOutError) return own('signed_out', 'Sign in again: `cryolift login`.');
  if (error instanceof Interrupted) return own('interrupted', 'Run the same command again to continue.', true);
  if (isSystemError(error)) return { ...own(error.code, null), message: describeCall(error) };
  return own((error as NodeJS.ErrnoException).code ?? 'failed', null);
}

/** `/mnt/data: permission denied (EACCES)`; for a call with two paths, the one that is written. */
function describeCall(error: NodeJS.ErrnoException & { dest?: string }): string {
  const path = error.dest ?? error.path;
  return `${path === undefined ? '' : `${path}: `}${describeSystemError(error)}`;
}
