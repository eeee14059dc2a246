/** What the tests of settings share: one setting at a time, and values that are accepted. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Config, readConfig } from './config.ts';
import { SettingError } from './setting-error.ts';

export const SECRET = 'a shared secret of 32 bytes or more';
export const ED_PEM = printPublicKey(generateKeyPairSync('ed25519'));

export function printPublicKey({ publicKey }: { publicKey: KeyObject }): string {
  return String(publicKey.export({ type: 'spki', format: 'pem' }));
}

/** The check of an error that stops the start: one line that begins with the setting's name. */
export function names(name: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof SettingError && error.message.startsWith(`${name}: `) && !error.message.includes('\n');
}

export function read(name: string, value: string): Config {
  return readConfig({ [`CRYOLIFT_${name}`]: value });
}
