/** Answers that take the server a moment: while it is busy with them, it is asked again. */
import { ServerError } from '@cryolift/client';

const ASK_AGAIN_MS = 2_000;
const MAX_ASKS = 300;

/** For a query: asks again while the server says "not yet". */
export const later = {
  retry: (asks: number, error: Error) => error instanceof ServerError && error.retryable && asks < MAX_ASKS,
  retryDelay: ASK_AGAIN_MS,
  staleTime: Number.POSITIVE_INFINITY,
};

/** True when the answer is that there is none. */
export function isNone(error: Error | null): boolean {
  return error instanceof ServerError && error.code === 'not_found';
}
