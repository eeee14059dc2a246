/**
 * Proof that a server has the secret of its tokens, without revealing it. A client on the same machine asks for it
 * before it sends a token that it has signed itself. The proof includes the port, so that a process on another port
 * cannot use a proof that it gets from the server.
 */
import { toHex } from './digest.ts';

/** Request header: a challenge that was never used before. */
export const CHALLENGE_HEADER = 'cryolift-challenge';
/** Response header. */
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
