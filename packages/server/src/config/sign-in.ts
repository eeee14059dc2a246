/** The settings by which people sign in at the identity provider, from the command line and from the page. */
import type { JwtConfig } from './jwt.ts';
import { SettingError } from './setting-error.ts';

/** What a client needs to sign somebody in. None of it is secret. */
export interface SignInConfig {
  readonly issuer: string;
  /** Of a public client, which has no secret (RFC 6749 section 2.1). */
  readonly clientId: string;
  /** Separated by spaces. */
  readonly scope: string;
  /** The audience that the server wants in tokens; null: any. */
  readonly audience: string | null;
}

const DEFAULT_SCOPE = 'openid offline_access uploads:write files:read files:delete files:locate';
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** @returns null without a client. @throws SettingError for a setting that lacks another one. */
export function readSignIn(jwt: JwtConfig, clientId: string | null, scope: string | null): SignInConfig | null {
  const { oidcIssuer: issuer, audience } = jwt;
  if (clientId === null) {
    if (scope === null) return null;
    throw new SettingError('CRYOLIFT_OIDC_SCOPE: needs CRYOLIFT_OIDC_CLIENT_ID');
  }
  if (issuer === null) throw new SettingError('CRYOLIFT_OIDC_CLIENT_ID: needs CRYOLIFT_OIDC_ISSUER');
  const { protocol, hostname, search, hash } = new URL(issuer);
  if (search !== '' || hash !== '') {
    throw new SettingError('CRYOLIFT_OIDC_ISSUER: must have no query and no fragment');
  }
  // Codes and refresh tokens travel to the issuer.
  if (protocol !== 'https:' && !LOOPBACK.test(hostname)) {
    throw new SettingError('CRYOLIFT_OIDC_ISSUER: must begin with https: to sign people in; http: only on loopback');
  }
  return { issuer, clientId, scope: scope ?? DEFAULT_SCOPE, audience };
}

/** @returns scopes as RFC 6749 section 3.3 has them, separated by single spaces. @throws Error */
export function parseScope(text: string): string {
  const scopes = text.trim().split(/\s+/);
  if (scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))) return scopes.join(' ');
  throw new Error(`"${text}" is not a list of scopes separated by spaces`);
}

/** @throws Error for what RFC 6749 appendix A.1 does not allow, and for spaces at its ends. */
export function parseClientId(text: string): string {
  if (/^[\x20-\x7e]+$/.test(text) && text.trim() === text) return text;
  throw new Error(`${JSON.stringify(text)} is not a client id`);
}
