/** What a server says about signing in: `sign_in` of `GET /limits`, which needs no token. */
import { foreignReply, type Transport } from '@cryolift/client';
import type { SignIn } from '@cryolift/protocol/messages';
import { Refusal } from '../process/exit.ts';

/** @throws Refusal when the server has no sign-in; as the transport. */
export async function readOffer(transport: Transport, server: string): Promise<SignIn> {
  const reply = await transport.send({ method: 'GET', path: '/limits', headers: {} });
  const limits = readObject(new TextDecoder().decode(reply.body));
  if (reply.status !== 200 || typeof limits?.part_size !== 'number') throw foreignReply(reply.status, reply.from);
  const { sign_in: offer } = limits;
  if (isSignIn(offer)) return offer;
  const hint = 'Use a token (--token @FILE) or an upload link (--link @FILE) of an administrator of the server.';
  throw new Refusal('no_sign_in', `${server} has no identity provider to sign in at`, hint);
}

function isSignIn(value: unknown): value is SignIn {
  const { issuer, client_id, scope, audience } = (value ?? {}) as Record<keyof SignIn, unknown>;
  const areTexts = [issuer, client_id, scope].every((each) => typeof each === 'string' && each !== '');
  return areTexts && (audience === null || typeof audience === 'string');
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
