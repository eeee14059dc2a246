/** The text of the file of a sign-in: readable, or encrypted with a key of the keyring (AES-256-GCM). */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SignInRecord } from './record.ts';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;

/** `keyring` names the keyring that has the key; null: the record is readable. */
type SignInFile =
  | { readonly keyring: null; readonly record: SignInRecord }
  | { readonly keyring: string; readonly server: string; readonly sealed: string };

/** Which key a file is encrypted with. */
export interface Seal {
  readonly keyring: string;
  readonly key: Buffer;
}

export function toText(record: SignInRecord, seal: Seal | null): string {
  if (seal === null) return print({ keyring: null, record });
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, seal.key, iv).setAAD(Buffer.from(record.server));
  const encrypted = Buffer.concat([cipher.update(JSON.stringify(record)), cipher.final()]);
  const sealed = Buffer.concat([iv, cipher.getAuthTag(), encrypted]).toString('base64');
  return print({ keyring: seal.keyring, server: record.server, sealed });
}

/** @returns null for a text that is not of this version. */
export function parseFile(text: string): SignInFile | null {
  try {
    const file = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    const isSealed = typeof file?.keyring === 'string' && typeof file.sealed === 'string';
    return isSealed || (file?.keyring === null && typeof file.record === 'object') ? (file as SignInFile) : null;
  } catch {
    return null;
  }
}

/** @returns null when this is not the key of the file. */
export function unseal(file: { server: string; sealed: string }, key: Buffer): SignInRecord | null {
  const bytes = Buffer.from(file.sealed, 'base64');
  const [tagAt, textAt] = [IV_BYTES, IV_BYTES + 16];
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, tagAt))
      .setAAD(Buffer.from(file.server))
      .setAuthTag(bytes.subarray(tagAt, textAt));
    return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString());
  } catch {
    return null;
  }
}

function print(file: SignInFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}
