/** What a sign-in at the identity provider gives: an access token, which is renewed until the grant ends. */
import type { ProviderConfig } from './provider-config.ts';

/** Immutable, and JSON: it is kept in the storage of the tab, and passed from the sign-in window to the tab. */
export interface Grant {
  /** Random. The same after a renewal, and in copies of the tab. */
  readonly id: string;
  /** Random. Copies of the tab have it; what they share is encrypted with it. */
  readonly secret: string;
  readonly config: ProviderConfig;
  readonly accessToken: string;
  /** Null: the provider gives none, and nothing can be renewed. */
  readonly refreshToken: string | null;
  /** How often it was renewed. */
  readonly generation: number;
  /** When the provider answered, milliseconds since 1970 by the clock of this machine. */
  readonly receivedAtMs: number;
  /** When the access token ends, by the same clock. Null: the provider does not say. */
  readonly expiresAtMs: number | null;
  /** Of the person, from the id token. */
  readonly name: string | null;
}

/** An answer of the provider with tokens. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly lifeSeconds: number | null;
  readonly name: string | null;
}

/** A token is renewed when this share of its life is over. The rest is for a provider that does not answer. */
const RENEWED_AT = 2 / 3;
/** Tokens with a shorter life are not renewed more often. */
const SHORTEST_MS = 1_000;

export function newGrant(config: ProviderConfig, tokens: Tokens, nowMs = Date.now()): Grant {
  const secret = crypto.randomUUID() + crypto.randomUUID();
  const { accessToken, refreshToken, name } = tokens;
  const times = timesOf(tokens, nowMs);
  return { id: crypto.randomUUID(), secret, config, accessToken, refreshToken, name, generation: 0, ...times };
}

/** A provider that does not rotate refresh tokens sends none, and it need not send another id token. */
export function renewGrant(grant: Grant, tokens: Tokens, nowMs = Date.now()): Grant {
  return {
    ...grant,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken ?? grant.refreshToken,
    name: tokens.name ?? grant.name,
    generation: grant.generation + 1,
    ...timesOf(tokens, nowMs),
  };
}

/** The access token has not ended. */
export function isGood({ expiresAtMs }: Grant, nowMs = Date.now()): boolean {
  return expiresAtMs === null || nowMs < expiresAtMs;
}

/** When the access token should be renewed. Infinity: it cannot be, or need not be. */
export function renewAtMs({ refreshToken, receivedAtMs, expiresAtMs }: Grant): number {
  if (refreshToken === null || expiresAtMs === null) return Number.POSITIVE_INFINITY;
  return receivedAtMs + Math.max(SHORTEST_MS, (expiresAtMs - receivedAtMs) * RENEWED_AT);
}

/** Also after the clock was set to an earlier time: the age of the token is not known then. */
export function isDue(grant: Grant, nowMs = Date.now()): boolean {
  const atMs = renewAtMs(grant);
  return nowMs >= atMs || (nowMs < grant.receivedAtMs && atMs !== Number.POSITIVE_INFINITY);
}

function timesOf({ lifeSeconds }: Tokens, nowMs: number) {
  return { receivedAtMs: nowMs, expiresAtMs: lifeSeconds === null ? null : nowMs + lifeSeconds * 1000 };
}
