/** The parameters by which clients ask an identity provider for tokens of a server (`sign_in` of `GET /limits`). */
import type { SignIn } from './messages/operations.ts';

/** Microsoft gives refresh tokens without it, and refuses it to users who may not consent for themselves. */
const NEEDS_NO_CONSENT = /^https:\/\/login\.microsoftonline\.(com|us)\//;

/**
 * Parameters of every request: for the authorization, for a device, and for tokens. `resource` is that of RFC 8707, which
 * wants an absolute URI without a fragment; `audience` is what Auth0 has instead. Providers ignore unknown parameters
 * (RFC 6749 section 3.1).
 */
export function audienceParameters({ audience }: SignIn): Record<string, string> {
  if (audience === null) return {};
  const isUri = URL.canParse(audience) && !audience.includes('#');
  return { audience, ...(isUri ? { resource: audience } : {}) };
}

/**
 * Parameters of the authorization request beside those of OAuth 2.0 itself. A refresh token needs `prompt=consent` (OpenID
 * Connect Core section 11).
 */
export function authorizationParameters(signIn: SignIn): Record<string, string> {
  const { issuer, scope } = signIn;
  const isOffline = scope.split(' ').includes('offline_access') && !NEEDS_NO_CONSENT.test(issuer);
  return { scope, ...audienceParameters(signIn), ...(isOffline ? { prompt: 'consent' } : {}) };
}
