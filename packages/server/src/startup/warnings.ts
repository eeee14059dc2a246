/** Warnings about valid settings that may be insecure, and about a database that makes searches slow. */
import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import type { Logger } from '../ops/log.ts';

const HS256_KEY_BYTES = 32;

export function warnOfSettings({ jwt, trustProxy, publicUrl }: Config, log: Logger): void {
  if (jwt.secret !== null && Buffer.byteLength(jwt.secret) < HS256_KEY_BYTES) {
    log.warn(`CRYOLIFT_JWT_SECRET is short: RFC 7518 asks for ${HS256_KEY_BYTES} bytes or more`);
  }
  if (jwt.oidcIssuer !== null && jwt.audience === null) {
    log.warn(
      'CRYOLIFT_JWT_AUDIENCE is not set: tokens that the identity provider issued for other services are accepted, too',
    );
  }
  if (trustProxy !== 0 && publicUrl === null) {
    log.warn(
      'CRYOLIFT_PUBLIC_URL is not set: behind a proxy, the URLs of signed calls and upload links contain the Host of the request',
    );
  }
}

export async function warnOfDatabase(db: Database, log: Logger): Promise<void> {
  if (await dialectOf(db).library.isIndexed(db)) return;
  log.warn(
    { hint: 'see "Searches" in docs/guides/scale-out.md' },
    'PostgreSQL has no index library_by_text (extension pg_trgm): each search for words reads all files of its owner',
  );
}
