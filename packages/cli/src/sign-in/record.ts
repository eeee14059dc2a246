/** What is kept of a sign-in, and until when its token is good. */
import type { SignIn } from '@cryolift/protocol/messages';

/** A pair of tokens, as the provider answered. */
export interface Tokens {
  readonly accessToken: string;
  /** Null: the provider gave none, and the sign-in ends with the access token. */
  readonly refreshToken: string | null;
  /** Separated by spaces; null: the provider did not say. */
  readonly scope: string | null;
  /** Lifetime of the access token, seconds; null: unknown. */
  readonly lifeSeconds: number | null;
  /** Of the refresh token (`refresh_expires_in` of Keycloak); null: unknown. */
  readonly refreshLifeSeconds: number | null;
  /** When the request for them was sent, by the clock of this machine: milliseconds since 1970. */
  readonly receivedMs: number;
}

export interface SignInRecord {
  /** The URL of the server, without a slash at the end. */
  readonly server: string;
  readonly signIn: SignIn;
  /** The owner of uploads. */
  readonly sub: string;
  /** The name of the person; null: the provider gave none. */
  readonly name: string | null;
  readonly tokens: Tokens;
}

/** A token is renewed when a quarter of its life is left, or five minutes of a long one. */
const MARGIN = 0.25;
const LONGEST_MARGIN_MS = 5 * 60_000;
/** A token that is this new is not renewed because it was refused: parts in flight may have sent the one before. */
const NEW_MS = 5_000;

/** An access token with its times on the monotonic clock of this process, milliseconds. */
export interface KnownToken {
  readonly accessToken: string;
  readonly receivedAtMs: number;
  /** Infinity: unknown. */
  readonly endsAtMs: number;
  readonly renewAtMs: number;
  readonly newUntilMs: number;
}

/**
 * The end is computed from the lifetime, not from the `exp` of the token: the clock of this machine may be wrong. When it
 * was set since, the token is renewed too early, or the server refuses it and it is renewed then.
 */
export function knowToken(tokens: Tokens, nowMs = performance.now(), wallMs = Date.now()): KnownToken {
  const { accessToken, lifeSeconds, receivedMs } = tokens;
  const ageMs = wallMs - receivedMs;
  // From the future: the clock was set back.
  const receivedAtMs = ageMs < 0 ? Number.NEGATIVE_INFINITY : nowMs - ageMs;
  if (lifeSeconds === null) {
    return { accessToken, receivedAtMs, endsAtMs: Infinity, renewAtMs: Infinity, newUntilMs: receivedAtMs + NEW_MS };
  }
  const lifeMs = lifeSeconds * 1000;
  const marginMs = Math.min(lifeMs * MARGIN, LONGEST_MARGIN_MS);
  return {
    accessToken,
    receivedAtMs,
    endsAtMs: receivedAtMs + lifeMs,
    renewAtMs: receivedAtMs + lifeMs - marginMs,
    newUntilMs: receivedAtMs + Math.min(marginMs, NEW_MS),
  };
}
