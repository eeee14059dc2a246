/** Reads the certificate and its key. */
import { createSecureContext } from 'node:tls';
import { SettingError } from './setting-error.ts';
import { readText } from './values.ts';

export interface TlsConfig {
  readonly certPath: string;
  readonly keyPath: string;
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** @returns null without both paths. @throws SettingError when one is missing or they do not belong together. */
export function findTls(certPath: string | null, keyPath: string | null): TlsConfig | null {
  if (certPath !== null && keyPath !== null) return readTls({ certPath, keyPath });
  if (certPath !== null) throw new SettingError('CRYOLIFT_TLS_KEY: is missing; CRYOLIFT_TLS_CERT needs it');
  if (keyPath !== null) throw new SettingError('CRYOLIFT_TLS_CERT: is missing; CRYOLIFT_TLS_KEY needs it');
  return null;
}

/** The current certificate and key from their files. @throws SettingError one line naming the setting. */
export function readTls({ certPath, keyPath }: Pick<TlsConfig, 'certPath' | 'keyPath'>): TlsConfig {
  const cert = readPem('CRYOLIFT_TLS_CERT', certPath);
  const key = readPem('CRYOLIFT_TLS_KEY', keyPath);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new SettingError(`CRYOLIFT_TLS_CERT: does not work with CRYOLIFT_TLS_KEY (${(error as Error).message})`);
  }
  return { certPath, keyPath, cert, key };
}

function readPem(setting: string, path: string): string {
  try {
    return readText(path);
  } catch (error) {
    throw new SettingError(`${setting}: ${(error as Error).message}`);
  }
}
