/** Queries whose answers the server has to compute first. */
import { ServerError } from '@cryolift/client';

const RETRY_MS = 2_000;
const MAX_RETRIES = 300;

/** Query options that repeat the request while the server answers with a retryable error. */
export const slowQuery = {
  retry: (retries: number, error: Error) => error instanceof ServerError && error.retryable && retries < MAX_RETRIES,
  retryDelay: RETRY_MS,
  staleTime: Number.POSITIVE_INFINITY,
};

/** The server has no such result for this file. */
export function isNotFound(error: Error | null): boolean {
  return error instanceof ServerError && error.code === 'not_found';
}
