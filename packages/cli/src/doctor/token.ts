/** The token: what it says by itself, and what the server says to it. It is never printed. */
import { decodeJwt, type JWTPayload } from 'jose';
import { formatWhen } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { type Answer, readFailure, readJson, type Wire } from './wire.ts';

/** An upload of the night outlives it. */
const SOON_SECONDS = 30 * 60;
const LEEWAY_SECONDS = 60;
const GET_ANOTHER = 'Get another: from whoever runs the server, or there with `cryolift token`.';

/** The checks that fail because of the token. */
export const TOKEN_CHECKS: readonly string[] = ['token', 'authorised'];

/**
 * What a token says, read without its key.
 *
 * @param nowMs of this machine.
 * @param isRenewing its end does not matter: another one is made before.
 */
export function checkToken(token: string, nowMs: number, isRenewing: boolean): Finding {
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    return fail('token', 'it is not a JSON Web Token: a piece of one, or something else', GET_ANOTHER);
  }
  const { sub, exp, nbf } = claims;
  const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
  const nowSeconds = nowMs / 1000;
  const when = (seconds: number) => formatWhen(new Date(seconds * 1000).toISOString(), nowMs);
  if (!sub) return fail('token', 'it names no owner (sub)', GET_ANOTHER);
  if (exp !== undefined && exp < nowSeconds) return fail('token', `it expired ${when(exp)}`, GET_ANOTHER);
  if (nbf !== undefined && nbf > nowSeconds + LEEWAY_SECONDS) {
    return fail(
      'token',
      `it is good only from ${when(nbf)} (nbf)`,
      'Wait, or check the clocks here and where it was made.',
    );
  }
  if (!scopes.includes('uploads:write') && !scopes.includes('admin')) {
    const has = scopes.length > 0 ? scopes.join(' ') : 'none';
    return fail('token', `it may not upload; its scopes: ${has}`, 'Ask for a token with the scope uploads:write.');
  }
  const found = `for ${sub}, ${exp === undefined ? 'without end' : `expires ${when(exp)}`}; ${scopes.join(' ')}`;
  if (isRenewing)
    return ok('token', `made here for ${sub}, and made anew as long as it is needed; ${scopes.join(' ')}`);
  if (exp === undefined || exp > nowSeconds + SOON_SECONDS) return ok('token', found);
  return warn('token', found, 'Get a fresh one before a long upload: the command line cannot renew it by itself.');
}

/** Whether the server takes the token. */
export async function checkAuthorised(wire: Wire, authorization: string): Promise<Finding> {
  const answer = await wire.ask('GET', '/uploads?limit=1', { authorization });
  if (answer.status === 200 && Array.isArray(readJson(answer)?.items))
    return ok('authorised', 'the server takes the token');
  const failure = readFailure(answer);
  if (!failure) {
    return fail(
      'authorised',
      `a proxy answers ${answer.status} to a request with a token`,
      'Let it pass requests with Authorization on as they are, without a login of its own.',
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
      'A proxy takes Authorization away: let it pass that header on.',
    );
  }
  return fail(
    'authorised',
    found,
    `It was made with another key, issuer or audience than this server's. ${GET_ANOTHER}`,
  );
}

/** The server says the same to a request that never had one. */
async function isDropped(wire: Wire, refused: Answer): Promise<boolean> {
  const bare = await wire.ask('GET', '/uploads?limit=1');
  return readFailure(bare)?.message === readFailure(refused)?.message;
}
