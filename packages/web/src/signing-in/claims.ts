/** Claims of a token, for display only: the page does not verify them. */
export interface Claims {
  readonly subject: string;
  /** Milliseconds since 1970. Null: the token does not expire, or its time is outside the range of a Date. */
  readonly expiresAtMs: number | null;
}

/** The latest time of a Date, milliseconds (ECMA-262, section 21.4.1.1). */
const LATEST_MS = 8.64e15;

/** Null when the token is not a JWT (RFC 7519). */
export function readClaims(token: string): Claims | null {
  try {
    const payload = token.split('.')[1] as string;
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const { sub, exp } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown; exp?: unknown };
    if (typeof sub !== 'string') return null;
    const expiresAtMs = typeof exp === 'number' && Math.abs(exp * 1000) <= LATEST_MS ? exp * 1000 : null;
    return { subject: sub, expiresAtMs };
  } catch {
    return null;
  }
}
