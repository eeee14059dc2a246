/** Identifies callers by JSON Web Tokens in the Authorization header (RFC 7519, RFC 6750). */
import { hash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { calculateJwkThumbprint, errors, type JWK, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { JwtConfig } from '../../config/jwt.ts';
import { algorithmOf, PUBLIC_KEY_ALGORITHMS, readPublicKey } from '../../config/token-key.ts';
import type { TokenCaller } from './caller.ts';
import { Discovery } from './discovery.ts';
import { PublishedKeys } from './published-keys.ts';

interface TokenLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export type Authenticate = (authorization: string | undefined) => Promise<TokenCaller>;

const MAX_SUB_LENGTH = 256;
/**
 * The difference that is allowed between the clocks of the issuer and of this server. A token of the shared secret
 * expires to the second, because it is made on this machine or by a script of its administrators.
 */
const SKEW_SECONDS = 60;
const KNOWN_MS = 60_000;
const MAX_KNOWN = 1_000;

/**
 * @param now milliseconds since 1970.
 * @param discovery finds the keys of `oidcIssuer`.
 * @returns a function from an Authorization header to its caller; it throws UploadError `unauthenticated` or
 *   `token_expired`.
 */
export function createAuthenticator(
  keys: JwtConfig,
  log: TokenLog,
  now: () => number = Date.now,
  discovery: Discovery | null = discoveryOf(keys),
): Authenticate {
  const findKey = keyFinder(keys, log, discovery);
  const algorithms = [...(keys.secret === null ? [] : ['HS256']), ...PUBLIC_KEY_ALGORITHMS];
  const issuer = keys.issuer ?? keys.oidcIssuer;
  const claims = {
    algorithms,
    clockTolerance: SKEW_SECONDS,
    ...(issuer === null ? {} : { issuer }),
    ...(keys.audience === null ? {} : { audience: keys.audience }),
  };
  const known = new KnownTokens();
  return async (authorization) => {
    const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw new UploadError('unauthenticated', 'This call needs a bearer token.');
    const nowMs = now();
    const caller = known.find(token, nowMs);
    if (caller) return caller;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, findKey, { ...claims, currentDate: new Date(nowMs) });
      const caller = toCaller(payload, protectedHeader.alg === 'HS256' ? 0 : SKEW_SECONDS, nowMs);
      if (caller.expiresAtMs <= nowMs) throw new errors.JWTExpired('too late', payload);
      return known.keep(token, caller);
    } catch (error) {
      throw explain(error);
    }
  };
}

/**
 * The callers of tokens that were verified less than a minute ago, because a client sends the same token with every
 * part. A minute bounds how long a removed key is still accepted. A token is never accepted after it has expired.
 */
class KnownTokens {
  readonly #callers = new LRUCache<string, TokenCaller>({ max: MAX_KNOWN, ttl: KNOWN_MS });

  find(token: string, nowMs: number): TokenCaller | undefined {
    const caller = this.#callers.get(hash('sha256', token));
    return caller && nowMs < caller.expiresAtMs ? caller : undefined;
  }

  keep(token: string, caller: TokenCaller): TokenCaller {
    this.#callers.set(hash('sha256', token), caller);
    return caller;
  }
}

/**
 * A key is used only for the algorithms of its own family, also when the header of the token names another algorithm.
 */
function keyFinder(keys: JwtConfig, log: TokenLog, discovery: Discovery | null): JWTVerifyGetKey {
  const secret = keys.secret === null ? null : new TextEncoder().encode(keys.secret);
  const publicKey = keys.publicKey === null ? null : readPublicKey(keys.publicKey);
  const publicAlgorithm = publicKey && algorithmOf(publicKey);
  const remote = publishedKeys(keys, log, discovery);
  remote?.fetchAhead();
  // A token may have any `kid` or none, so a key of the settings is compared by its thumbprint.
  const isPublicKeyRevoked =
    publicKey !== null && keys.revokedKeys.length > 0
      ? calculateJwkThumbprint(publicKey.export({ format: 'jwk' }) as JWK).then((print) =>
          keys.revokedKeys.includes(print),
        )
      : Promise.resolve(false);
  return async (header, token) => {
    const isRevoked =
      (header.kid !== undefined && keys.revokedKeys.includes(header.kid)) ||
      (header.alg === publicAlgorithm && (await isPublicKeyRevoked));
    if (isRevoked) {
      throw new UploadError('unauthenticated', 'The key that this token was signed with has been revoked.');
    }
    if (header.alg === 'HS256' && secret) return secret;
    if (publicKey && header.alg === publicAlgorithm) return publicKey;
    if (remote && PUBLIC_KEY_ALGORITHMS.includes(header.alg)) return await remote.find(header, token);
    throw new errors.JOSEAlgNotAllowed(`there is no key for ${header.alg}`);
  };
}

function publishedKeys({ jwksUrl, revokedKeys }: JwtConfig, log: TokenLog, discovery: Discovery | null) {
  if (jwksUrl !== null) return new PublishedKeys(async () => jwksUrl, revokedKeys, log);
  return discovery && new PublishedKeys(discovery.findKeys, revokedKeys, log);
}

/** Null when no issuer is set. */
export function discoveryOf({ oidcIssuer }: JwtConfig): Discovery | null {
  return oidcIssuer === null ? null : new Discovery(oidcIssuer);
}

/** @param graceSeconds how long the token is accepted after it has expired. */
function toCaller(
  { sub, scope, scp, iat, exp = Number.POSITIVE_INFINITY }: JWTPayload,
  graceSeconds: number,
  nowMs: number,
): TokenCaller {
  if (iat !== undefined && iat > nowMs / 1000 + SKEW_SECONDS) {
    throw new UploadError('unauthenticated', 'The token was made in the future: a clock is wrong.');
  }
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUB_LENGTH) {
    throw new UploadError('unauthenticated', 'The token has no owner (sub).');
  }
  if (/\p{Cc}/u.test(sub) || !sub.isWellFormed()) {
    throw new UploadError('unauthenticated', 'The owner in the token (sub) has invalid characters.');
  }
  // Microsoft and Okta call the claim `scp`; one sends text, the other a list.
  const scopes = [scope, ...(Array.isArray(scp) ? (scp as unknown[]) : [scp])].filter(
    (each) => typeof each === 'string',
  );
  return {
    kind: 'token',
    sub,
    scopes: new Set(scopes.flatMap((each) => each.split(' '))),
    expiresAtMs: (exp + graceSeconds) * 1000,
  };
}

function explain(error: unknown): unknown {
  if (error instanceof errors.JWTExpired)
    return new UploadError('token_expired', 'The token has expired.', { cause: error });
  if (error instanceof errors.JOSEError) {
    return new UploadError('unauthenticated', 'The token is not valid for this server.', { cause: error });
  }
  return error;
}
