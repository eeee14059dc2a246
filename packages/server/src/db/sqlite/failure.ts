import { UploadError } from '@cryolift/protocol/errors';

/** SQLITE_BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL: the database cannot answer now. */
const UNAVAILABLE = new Set([5, 6, 8, 10, 11, 13, 14, 15]);

/** An error of SQLite as `database_unavailable` when it cannot read or write, otherwise unchanged. */
export function explain(error: unknown): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined || !UNAVAILABLE.has(code & 0xff)) return error;
  return new UploadError('database_unavailable', 'The database cannot be read or written at the moment.', {
    cause: error,
  });
}
