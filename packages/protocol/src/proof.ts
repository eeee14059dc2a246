/**
 * How a server proves that it has the secret of its tokens, without telling it: before a client on the same machine sends a
 * token that it has signed itself. The port is in it, so that whoever listens on another port gains nothing by asking the
 * server.
 */
import { toHex } from './digest.ts';

/** Of a request: a challenge that no request had before. */
export const CHALLENGE_HEADER = 'cryolift-challenge';
/** Of the answer. */
export const PROOF_HEADER = 'cryolift-proof';
/** 32 random bytes, lower-case hex. */
export const CHALLENGE = /^[0-9a-f]{64}$/;

/** HMAC-SHA-256 with a key of its own (HKDF), so that no proof is a signature of a token. @returns lower-case hex. */
export async function computeProof(secret: string, challenge: string, port: number): Promise<string> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const derivation = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: encoder.encode('cryolift server proof 1'),
  };
  const algorithm = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  const key = await crypto.subtle.deriveKey(derivation, material, algorithm, false, ['sign']);
  return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(`${port} ${challenge}`))));
}
