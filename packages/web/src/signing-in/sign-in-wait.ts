/** Why calls of the account wait for a sign-in. */
import { texts } from '../texts.ts';
import type { SignedIn } from './signed-in.ts';

/** Null: they do not wait for one. */
export function signInWait(signedIn: SignedIn): string | null {
  if (signedIn.kind === 'expired' && signedIn.wasGrant) return texts.provider.waitsForSignIn;
  if (signedIn.kind !== 'signed-in') return texts.upload.waitsForToken;
  const { grant, expiresAtMs } = signedIn;
  const isLate = expiresAtMs !== null && Date.now() >= expiresAtMs;
  return grant?.state === 'away' && isLate ? texts.provider.waitsForProvider(grant.host) : null;
}
