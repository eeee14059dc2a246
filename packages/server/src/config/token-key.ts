/** Public keys that tokens are verified with. */
import { createPublicKey, type KeyObject } from 'node:crypto';

/** Signatures that are verified with a public key (RFC 7518, RFC 8037). */
export const PUBLIC_KEY_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];

/** @param pem of a public key. @throws Error with a message for administrators. */
export function readPublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new Error(`is not a public key that can be read (${(error as Error).message})`);
  }
}

/** The one algorithm that a public key is for. @throws Error for a key of another kind. */
export function algorithmOf(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return 'RS256';
    case 'ed25519':
      return 'EdDSA';
    case 'ec':
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  }
  throw new Error(`is a ${key.asymmetricKeyType} key, which verifies none of ${PUBLIC_KEY_ALGORITHMS.join(', ')}`);
}
