/** What failures of PostgreSQL mean. SQLSTATE codes are those of PostgreSQL's appendix A. */
import { UploadError } from '@cryolift/protocol/errors';

/** Classes: connection exception, insufficient resources, operator intervention, system error. */
const UNAVAILABLE_CLASSES = ['08', '53', '57', '58'];
/**
 * lock_not_available; read_only_sql_transaction: the server has become a standby; idle_in_transaction_session_timeout.
 */
const UNAVAILABLE = ['55P03', '25006', '25P03'];
/** serialization_failure, deadlock_detected. */
const CONFLICTS = ['40001', '40P01'];
const QUERY_CANCELED = '57014';
/** `pg` says these without a code: the connection is gone, or the time is over. */
const LOST =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered)/;

interface DatabaseFailure extends Error {
  code?: string;
}

/** Whether the connection is of no more use: it was lost, or what it still waits for is unknown. */
export function isLost(error: unknown): boolean {
  const { code, message } = error as DatabaseFailure;
  if (code === undefined) return LOST.test(message);
  return /^E[A-Z]+$/.test(code) || code.startsWith('08') || code.startsWith('57P') || code === '25P03';
}

/** Whether a transaction failed because of another one. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes((error as DatabaseFailure).code ?? '');
}

/** Whether a statement was ended by its timeout, or by an administrator. */
export function isCanceled(error: unknown): boolean {
  return error instanceof UploadError && (error.cause as DatabaseFailure | undefined)?.code === QUERY_CANCELED;
}

/** An error as `database_unavailable` when the database cannot answer now, else as it is: a mistake of ours. */
export function explain(error: unknown): unknown {
  const { code = '' } = error as DatabaseFailure;
  const isUnavailable = isLost(error) || UNAVAILABLE_CLASSES.includes(code.slice(0, 2)) || UNAVAILABLE.includes(code);
  if (error instanceof UploadError || !isUnavailable) return error;
  return new UploadError('database_unavailable', 'The database cannot be read or written at the moment.', {
    cause: error,
  });
}
