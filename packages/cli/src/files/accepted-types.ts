/** The file types that a server accepts. */
import { type Api, RetryPolicy } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';

/**
 * Waits for a server that restarts, as uploads do.
 *
 * @returns extensions in lower case, without the dot; `*` for any type.
 * @throws as RetryPolicy does.
 */
export async function askAcceptedTypes(
  api: Pick<Api, 'limits'>,
  { retryPolicy = new RetryPolicy(), signal, onRetry }: AskOptions = {},
): Promise<ReadonlySet<string>> {
  return typesOf(await retryPolicy.retry(() => api.limits({ signal }), signal, onRetry));
}

export function typesOf({ mrc_types, accepted_types }: Limits): ReadonlySet<string> {
  return new Set([...mrc_types, ...accepted_types]);
}

export interface AskOptions {
  retryPolicy?: RetryPolicy;
  signal?: AbortSignal | undefined;
  /** Called for each failure after which this waits. */
  onRetry?: (error: unknown) => void;
}
