/** Checks the claims of the token, and whether the server accepts it. The token is never printed. */
import { decodeJwt, type JWTPayload } from 'jose';
import { formatWhen } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { type Answer, readFailure, readJson, type Wire } from './wire.ts';

/** A token that expires earlier than this gets a warning: an upload overnight takes longer. */
const SOON_SECONDS = 30 * 60;
const LEEWAY_SECONDS = 60;
const GET_ANOTHER = 'Get another token: from the administrator, or on the server with `cryolift token`.';

/** The checks that fail because of the token. */
export const TOKEN_CHECKS: readonly string[] = ['token', 'authorised'];

/**
 * Checks the claims of a token without its key.
 *
 * @param nowMs of this machine.
 * @param isRenewing the expiry does not matter: the token is renewed earlier.
 */
export function checkToken(token: string, nowMs: number, isRenewing: boolean): Finding {
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    return fail('token', 'it is not a complete JSON Web Token', GET_ANOTHER);
  }
  const { sub, exp, nbf } = claims;
  const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
  const nowSeconds = nowMs / 1000;
  const when = (seconds: number) => formatWhen(new Date(seconds * 1000).toISOString(), nowMs);
  if (!sub) return fail('token', 'it has no owner (sub)', GET_ANOTHER);
  if (exp !== undefined && exp < nowSeconds) return fail('token', `it expired ${when(exp)}`, GET_ANOTHER);
  if (nbf !== undefined && nbf > nowSeconds + LEEWAY_SECONDS) {
    return fail(
      'token',
      `it is valid only from ${when(nbf)} (nbf)`,
      'Wait, or check the clocks of this machine and of the issuer.',
    );
  }
  if (!scopes.includes('uploads:write') && !scopes.includes('admin')) {
    const has = scopes.length > 0 ? scopes.join(' ') : 'none';
    return fail(
      'token',
      `it does not permit uploads; its scopes: ${has}`,
      'Ask for a token with the scope uploads:write.',
    );
  }
  const found = `for ${sub}, ${exp === undefined ? 'without expiry' : `expires ${when(exp)}`}; ${scopes.join(' ')}`;
  if (isRenewing) return ok('token', `for ${sub}, renewed as long as it is needed; ${scopes.join(' ')}`);
  if (exp === undefined || exp > nowSeconds + SOON_SECONDS) return ok('token', found);
  return warn('token', found, 'Get a new token before a long upload: the command line cannot renew it.');
}

/** Checks whether the server accepts the token. */
export async function checkAuthorised(wire: Wire, authorization: string): Promise<Finding> {
  const answer = await wire.ask('GET', '/uploads?limit=1', { authorization });
  if (answer.status === 200 && Array.isArray(readJson(answer)?.items))
    return ok('authorised', 'the server accepts the token');
  const failure = readFailure(answer);
  if (!failure) {
    return fail(
      'authorised',
      `a proxy answers ${answer.status} to a request with a token`,
      'Let the proxy pass requests with Authorization on unchanged, without its own login.',
    );
  }
  const found = `the server refuses the token: ${failure.code}: ${failure.message}`;
  if (failure.code === 'forbidden') return fail('authorised', found, 'Ask for a token with the scope uploads:write.');
  if (failure.code === 'token_expired') return fail('authorised', found, GET_ANOTHER);
  if (failure.code !== 'unauthenticated') return fail('authorised', found, failure.hint);
  if (await isDropped(wire, answer)) {
    return fail(
      'authorised',
      'the token does not reach the server',
      'A proxy removes Authorization: let it pass that header on.',
    );
  }
  return fail('authorised', found, `Its key, issuer or audience is not that of this server. ${GET_ANOTHER}`);
}

/** The server gives the same answer to a request without a token. */
async function isDropped(wire: Wire, refused: Answer): Promise<boolean> {
  const bare = await wire.ask('GET', '/uploads?limit=1');
  return readFailure(bare)?.message === readFailure(refused)?.message;
}
