/** Limits how often one network may fail to authenticate. Callers with valid credentials are never refused here. */
import { UploadError } from '@cryolift/protocol/errors';
import { LRUCache } from 'lru-cache';
import { clientNetwork } from '../connection/client-network.ts';

/** Failures of one network in a minute. Many instruments behind one address may have an expired token at once. */
const MAX_PER_MINUTE = 600;
const MINUTE_MS = 60_000;
/** The number of networks that are counted. For a network that was dropped, the count starts again. */
const MAX_NETWORKS = 10_000;

export class FailedLogins {
  readonly #counts = new LRUCache<string, { count: number }>({ max: MAX_NETWORKS, ttl: MINUTE_MS });

  /**
   * Counts a failure.
   *
   * @returns the error to answer with: the same one, or `rate_limited` when the network has failed too often.
   */
  note(address: string, error: unknown): unknown {
    if (!(error instanceof UploadError) || !['unauthenticated', 'signature_invalid'].includes(error.code)) return error;
    const network = clientNetwork(address);
    const failures = this.#counts.get(network) ?? { count: 0 };
    if (failures.count === 0) this.#counts.set(network, failures);
    if (++failures.count <= MAX_PER_MINUTE) return error;
    return new UploadError('rate_limited', 'Too many requests from this address could not be authenticated.', {
      retryAfterSeconds: Math.max(1, Math.ceil(this.#counts.getRemainingTTL(network) / 1000)),
    });
  }
}
