import { UploadError } from '@cryolift/protocol/errors';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import { accountOf } from '../auth/caller.ts';
import { clientNetwork } from '../connection/client-network.ts';

const MAX_KEYS = 5_000;

/**
 * Replaces the store of the plugin, which uses the wall clock: when it is set back, all callers would be refused for
 * that time.
 */
class Windows {
  readonly #windows = new LRUCache<string, { current: number; startedMs: number }>({ max: MAX_KEYS });

  incr(key: string, done: (error: null, counted: { current: number; ttl: number }) => void, windowMs: number): void {
    const nowMs = performance.now();
    let window = this.#windows.get(key);
    if (!window || nowMs - window.startedMs >= windowMs) {
      window = { current: 0, startedMs: nowMs };
      this.#windows.set(key, window);
    }
    window.current++;
    done(null, { current: window.current, ttl: windowMs - (nowMs - window.startedMs) });
  }

  /** Routes have no limits of their own. */
  child(): Windows {
    return this;
  }
}

/** @param perSecond requests per second of one owner, or of one address where no token is needed. */
export async function registerRateLimit(app: FastifyInstance, perSecond: number): Promise<void> {
  await app.register(rateLimit, {
    max: perSecond,
    timeWindow: 1000,
    store: Windows,
    // RateLimit-Limit, -Remaining and -Reset of the IETF draft, instead of X- names.
    enableDraftSpec: true,
    // Runs when the caller is known, before the body is read and validated.
    hook: 'preParsing',
    keyGenerator: (request) => (request.caller ? accountOf(request.caller) : clientNetwork(request.ip)),
    errorResponseBuilder: (_request, { ttl }) =>
      new UploadError('rate_limited', `More than ${perSecond} requests arrived in one second.`, {
        retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)),
      }),
  });
}
