import { UploadError } from '@cryolift/protocol/errors';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { accountOf } from './caller.ts';
import { clientNetwork } from './client-network.ts';

/** @param perSecond requests per second of one owner, or of one address where no token is needed. */
export async function registerRateLimit(app: FastifyInstance, perSecond: number): Promise<void> {
  await app.register(rateLimit, {
    max: perSecond,
    timeWindow: 1000,
    // RateLimit-Limit, -Remaining and -Reset, of the IETF's draft, instead of X- names.
    enableDraftSpec: true,
    // After the caller is known, before anything is read or judged.
    hook: 'preParsing',
    keyGenerator: (request) => (request.caller ? accountOf(request.caller) : clientNetwork(request.ip)),
    errorResponseBuilder: (_request, { ttl }) =>
      new UploadError('rate_limited', `More than ${perSecond} requests came in one second.`, {
        retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)),
      }),
  });
}
