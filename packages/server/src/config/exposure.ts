/** Refuses a server that others reach without a key, or without TLS. */
import { isIP } from 'node:net';
import { hasKey, type JwtConfig } from './jwt.ts';
import { SettingError } from './setting-error.ts';
import type { TlsConfig } from './tls.ts';

interface Exposure {
  readonly host: string;
  readonly socketPath: string | null;
  readonly jwt: JwtConfig;
  readonly tls: TlsConfig | null;
  readonly trustProxy: number | readonly string[];
}

/** @throws SettingError naming the missing setting; also for two settings that contradict each other. */
export function assertSafe({ host, socketPath, jwt, tls, trustProxy }: Exposure): void {
  if (socketPath !== null && tls) {
    throw new SettingError('CRYOLIFT_SOCKET: has no TLS, which the proxy ends; remove CRYOLIFT_TLS_CERT');
  }
  const loopback =
    socketPath !== null || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  const { oidcIssuer, jwksUrl, issuer } = jwt;
  if (oidcIssuer !== null && (jwksUrl !== null || issuer !== null)) {
    const other = jwksUrl === null ? 'CRYOLIFT_JWT_ISSUER' : 'CRYOLIFT_JWKS_URL';
    throw new SettingError(`CRYOLIFT_OIDC_ISSUER: already sets this; remove ${other}`);
  }
  if (!loopback && !hasKey(jwt)) {
    throw new SettingError(
      `CRYOLIFT_HOST: ${host} is reachable from other machines; set CRYOLIFT_JWT_SECRET, CRYOLIFT_JWT_PUBLIC_KEY, CRYOLIFT_JWKS_URL or CRYOLIFT_OIDC_ISSUER`,
    );
  }
  if (!loopback && !tls && trustProxy === 0) {
    throw new SettingError(
      `CRYOLIFT_HOST: ${host} is reachable from other machines; set CRYOLIFT_TLS_CERT and CRYOLIFT_TLS_KEY, or CRYOLIFT_TRUST_PROXY=true when a proxy terminates TLS`,
    );
  }
}
