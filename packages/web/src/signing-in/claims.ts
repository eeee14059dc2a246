/** What a token says of itself, to be shown; only the server judges it. */
export interface Claims {
  readonly subject: string;
  /** Milliseconds since 1970; null: it does not expire. */
  readonly expiresAtMs: number | null;
}

/** Null when it is no JWT (RFC 7519). */
export function readClaims(token: string): Claims | null {
  try {
    const payload = token.split('.')[1] as string;
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const { sub, exp } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown; exp?: unknown };
    if (typeof sub !== 'string') return null;
    return { subject: sub, expiresAtMs: typeof exp === 'number' ? exp * 1000 : null };
  } catch {
    return null;
  }
}
