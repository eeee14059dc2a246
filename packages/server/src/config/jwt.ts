/** The settings of tokens: keys, issuer, audience. */
import { algorithmOf, readPublicKey } from './token-key.ts';
import { readText } from './values.ts';

export interface JwtConfig {
  /** Null with no public key either: the server makes a secret in its data folder. */
  readonly secret: string | null;
  /** PEM of an RSA, EC P-256 or Ed25519 key. */
  readonly publicKey: string | null;
  readonly jwksUrl: string | null;
  /** The issuer whose keys are found by OpenID discovery. Only its tokens are accepted. */
  readonly oidcIssuer: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Ids (`kid`) or thumbprints (RFC 7638) of keys whose tokens are no longer accepted. */
  readonly revokedKeys: readonly string[];
}

/** False: the server makes its own secret. */
export function hasKey(jwt: JwtConfig): boolean {
  return jwt.secret !== null || jwt.publicKey !== null || jwt.jwksUrl !== null || jwt.oidcIssuer !== null;
}

/**
 * @param value the key in PEM form, with line ends or `\\n`, or the path of a file with the key.
 * @throws Error for any other value.
 */
export function parsePublicKey(value: string): string {
  const pem = value.includes('-----BEGIN') ? value.replaceAll('\\n', '\n') : readText(value);
  if (!/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) throw new Error('is not a public key in PEM form');
  algorithmOf(readPublicKey(pem));
  return pem;
}
