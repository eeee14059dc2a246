/** Keys that sign receipts: Ed25519 (RFC 8032, RFC 8037). */
import type { ReceiptKey } from '../messages.ts';

const encoder = new TextEncoder();

/** The thumbprint of a public key (RFC 7638), base64url. */
export async function thumbprint(x: string): Promise<string> {
  const text = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`;
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))));
}

/** @param x the public key, base64url. */
export async function toReceiptKey(x: string): Promise<ReceiptKey> {
  return { kty: 'OKP', crv: 'Ed25519', x, kid: await thumbprint(x) };
}

/** @returns false for a key that is no Ed25519 key, too. */
export async function isSignedBy(key: ReceiptKey, text: string, signature: string): Promise<boolean> {
  const bytes = fromBase64Url(signature);
  const publicKey = fromBase64Url(key.x);
  if (!bytes || !publicKey || (await thumbprint(key.x)) !== key.kid) return false;
  try {
    const imported = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', imported, bytes, encoder.encode(text));
  } catch {
    return false;
  }
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  // Unused bits of the last character would give a signature several spellings.
  return toBase64Url(bytes) === text ? bytes : null;
}
