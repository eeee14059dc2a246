/** `cryolift token`: a token from the secret of the server on this machine. */
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { Output } from '../output.ts';
import { ALL_SCOPES, findSecret, signToken } from '../own-token.ts';
import { parseDuration } from '../quantity.ts';

interface TokenFlags {
  json?: boolean;
  sub: string;
  scope: string;
  ttl: string;
  dataDir?: string;
}

export function addToken(program: Command): void {
  program
    .command('token')
    .description("make a token from the server's secret")
    .option('--sub <owner>', 'whom the token is for', 'local')
    .option('--scope <scopes>', 'what it allows', ALL_SCOPES)
    .option('--ttl <duration>', 'how long it is good for', '12h')
    .option('--data-dir <path>', "the server's data folder, where its secret lies (./cryolift-data)")
    .action(async (_flags: unknown, command: Command) => {
      const { json, sub, scope, ttl, dataDir } = command.optsWithGlobals<TokenFlags>();
      const ttlSeconds = parseDuration(ttl);
      const secret = await findSecret(dataDir === undefined ? process.env : {}, dataDir);
      if (secret === null) {
        throw new UsageError(
          'there is no secret: set CRYOLIFT_JWT_SECRET, or give --data-dir of a server that made its own',
        );
      }
      const token = await signToken(secret, sub, scope, ttlSeconds);
      const expiresAt = new Date(Date.now() + ttlSeconds * 1000).toISOString();
      new Output(json ?? false).result({ token, sub, scope, expires_at: expiresAt }, () => token);
    });
}
