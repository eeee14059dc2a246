/** Tokens for users of the server's machine, signed with the secret in the server's data folder. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectionError, type Transport } from '@cryolift/client';
import { CHALLENGE_HEADER, computeProof, PROOF_HEADER } from '@cryolift/protocol/proof';
import { SignJWT } from 'jose';
import { isMissing } from '../files/folder-entries.ts';

/**
 * The secret of the server on this machine; null when there is none. @throws the system's error when it cannot be read.
 */
export async function findSecret(env: NodeJS.ProcessEnv, dataDir?: string): Promise<string | null> {
  if (env.CRYOLIFT_JWT_SECRET) return env.CRYOLIFT_JWT_SECRET;
  try {
    const folder = dataDir ?? (env.CRYOLIFT_DATA_DIR || 'cryolift-data');
    return (await readFile(join(folder, 'jwt-secret'), 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * Returns true when the server has this secret and listens on the port of `server`. A token signed with the secret then
 * reveals nothing new to it.
 *
 * @param server its URL.
 * @throws ConnectionError when the server does not answer.
 */
export async function hasProof(transport: Transport, server: string, secret: string): Promise<boolean> {
  const { protocol, port } = new URL(server);
  const challenge = randomBytes(32).toString('hex');
  const reply = await transport.send({ method: 'GET', path: '/healthz', headers: { [CHALLENGE_HEADER]: challenge } });
  const proof = reply.headers[PROOF_HEADER];
  if (proof === undefined && reply.status >= 500) {
    throw new ConnectionError(`the server answers ${reply.status} to the request to prove its identity`);
  }
  return proof === (await computeProof(secret, challenge, Number(port) || (protocol === 'https:' ? 443 : 80)));
}

/**
 * @param ttlSeconds lifetime of the token.
 * @param env settings of the server that are known here: the required issuer and audience.
 */
export async function signToken(
  secret: string,
  sub: string,
  scope: string,
  ttlSeconds: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const iss = env.CRYOLIFT_JWT_ISSUER || env.CRYOLIFT_OIDC_ISSUER;
  const aud = env.CRYOLIFT_JWT_AUDIENCE;
  return await new SignJWT({ scope, ...(iss ? { iss } : {}), ...(aud ? { aud } : {}) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ttlSeconds)
    .sign(new TextEncoder().encode(secret));
}
