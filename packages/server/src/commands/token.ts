/** `cryolift token`: signs a token with the secret of the server on this machine. */
import { EXIT, type ExitCode, UsageError } from 'cryolift/exit';
import { Output } from 'cryolift/output';
import { findSecret, signToken } from 'cryolift/own-token';

export interface TokenFlags {
  json?: boolean;
  sub: string;
  scope: string;
  /** Seconds. */
  ttl: number;
  dataDir?: string;
}

export async function makeToken({ json, sub, scope, ttl, dataDir }: TokenFlags): Promise<ExitCode> {
  const secret = await findSecret(dataDir === undefined ? process.env : {}, dataDir);
  if (secret === null) {
    throw new UsageError(
      'no secret found: set CRYOLIFT_JWT_SECRET, or give the --data-dir of a server with a generated secret',
    );
  }
  const token = await signToken(secret, sub, scope, ttl);
  const expiresAt = new Date(Date.now() + ttl * 1000).toISOString();
  new Output(json).result({ token, sub, scope, expires_at: expiresAt }, () => token);
  return EXIT.done;
}
