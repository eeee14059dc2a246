/** Which database the settings name. */
import { resolve } from 'node:path';
import { parseLocalUrl } from './values.ts';

export type DatabaseConfig =
  /** A file for one server. */
  | { readonly kind: 'sqlite'; readonly path: string }
  /** A URI of libpq; it may hold a password. */
  | { readonly kind: 'postgres'; readonly url: string };

/** @throws Error that says what is expected, without the URL: it may hold a password. */
export function parseDatabaseUrl(url: string, dataDir: string): DatabaseConfig {
  if (!/^(?:sqlite|postgres(?:ql)?):/.test(url)) throw new Error('is neither sqlite:PATH nor postgres://…');
  if (url.startsWith('sqlite:')) {
    return { kind: 'sqlite', path: parseLocalUrl(url, 'sqlite:') ?? resolve(dataDir, 'cryolift.sqlite') };
  }
  if (!URL.canParse(url)) throw new Error('is not a URL like postgres://user:password@host:5432/database');
  return { kind: 'postgres', url };
}
