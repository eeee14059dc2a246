/** Signatures of the Standard Webhooks specification, version 1. */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
/** Shorter base64 would give a key that can be guessed; such a text is used as the key itself. */
const MIN_KEY_BYTES = 16;

/** `whsec_` and base64, base64 of 16 bytes or more, or any other text, which is its own key. */
export function readKey(secret: string): Buffer {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const key = Buffer.from(text, 'base64');
  const isBase64 = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  return isBase64 && (secret.startsWith(PREFIX) || key.length >= MIN_KEY_BYTES) ? key : Buffer.from(secret);
}

export function printKey(key: Uint8Array): string {
  return PREFIX + Buffer.from(key).toString('base64');
}

/** The signature headers of `body`. */
export function signEvent(key: Uint8Array, id: string, seconds: number, body: string): Record<string, string> {
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
