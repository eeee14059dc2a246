/** JSON Web Tokens (RFC 7519, RFC 6750): from an Authorization header to its caller. */
import { hash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { algorithmOf, PUBLIC_KEY_ALGORITHMS, readPublicKey } from '../token-key.ts';
import type { Caller } from './caller.ts';

export interface TokenKeys {
  readonly secret: string | null;
  /** PEM of an RSA, EC P-256 or Ed25519 key. */
  readonly publicKey: string | null;
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

const MAX_SUB_LENGTH = 256;
const KNOWN_MS = 60_000;
const MAX_KNOWN = 1_000;

/**
 * @returns a function from an Authorization header to its caller; it throws UploadError `unauthenticated` or
 *   `token_expired`.
 */
export function createAuthenticator(keys: TokenKeys): Authenticate {
  const findKey = keyFinder(keys);
  const algorithms = [...(keys.secret === null ? [] : ['HS256']), ...PUBLIC_KEY_ALGORITHMS];
  const claims = {
    algorithms,
    ...(keys.issuer === null ? {} : { issuer: keys.issuer }),
    ...(keys.audience === null ? {} : { audience: keys.audience }),
  };
  const known = new KnownTokens();
  return async (authorization) => {
    const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw new UploadError('unauthenticated', 'This call needs a bearer token.');
    const caller = known.find(token);
    if (caller) return caller;
    try {
      const { payload } = await jwtVerify(token, findKey, claims);
      return known.keep(token, toCaller(payload));
    } catch (error) {
      throw explain(error);
    }
  };
}

/**
 * Callers of tokens that were verified a moment ago: a client sends the same one with each of a thousand parts. For a minute at
 * most, so that a key that was taken away is noticed, and never past the token's own end.
 */
class KnownTokens {
  readonly #callers = new Map<string, { caller: Caller; untilMs: number }>();

  find(token: string): Caller | undefined {
    const id = hash('sha256', token);
    const known = this.#callers.get(id);
    if (known && Date.now() < known.untilMs) return known.caller;
    this.#callers.delete(id);
    return undefined;
  }

  keep(token: string, caller: Caller): Caller {
    if (this.#callers.size >= MAX_KNOWN) this.#callers.clear();
    const untilMs = Math.min(Date.now() + KNOWN_MS, caller.expiresAtMs);
    this.#callers.set(hash('sha256', token), { caller, untilMs });
    return caller;
  }
}

/** A key is only ever used for the algorithms of its own family, whatever the token's header says. */
function keyFinder(keys: TokenKeys): JWTVerifyGetKey {
  const secret = keys.secret === null ? null : new TextEncoder().encode(keys.secret);
  const publicKey = keys.publicKey === null ? null : readPublicKey(keys.publicKey);
  const publicAlgorithm = publicKey && algorithmOf(publicKey);
  const remote = keys.jwksUrl === null ? null : createRemoteJWKSet(new URL(keys.jwksUrl));
  return async (header, token) => {
    if (header.alg === 'HS256' && secret) return secret;
    if (publicKey && header.alg === publicAlgorithm) return publicKey;
    if (remote && PUBLIC_KEY_ALGORITHMS.includes(header.alg))
      return await remote(header, token).catch(explainKeyServer);
    throw new errors.JOSEAlgNotAllowed(`there is no key for ${header.alg}`);
  };
}

function toCaller({ sub, scope, exp = Number.POSITIVE_INFINITY }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUB_LENGTH) {
    throw new UploadError('unauthenticated', 'The token names no owner (sub).');
  }
  return { sub, scopes: new Set(typeof scope === 'string' ? scope.split(' ') : []), expiresAtMs: exp * 1000 };
}

function explain(error: unknown): unknown {
  if (error instanceof errors.JWTExpired)
    return new UploadError('token_expired', 'The token has expired.', { cause: error });
  if (error instanceof errors.JOSEError) {
    return new UploadError('unauthenticated', 'The token is not valid here.', { cause: error });
  }
  return error;
}

/** That it has no key for this token says something about the token; anything else only about the key server. */
function explainKeyServer(error: unknown): never {
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
  throw new UploadError('overloaded', 'The keys that tokens are verified with cannot be fetched now.', {
    retryAfterSeconds: 5,
    cause: error,
  });
}
