/** The token of a person who has signed in by `cryolift login`. */
import type { SignedOutError } from '../process/exit.ts';
import { type Refresh, RenewedToken } from './renewed-token.ts';
import { SignInStore } from './store.ts';

/** @returns null when nobody is signed in. @throws SignedOutError when the keyring does not give the key. */
export async function openSignIn(
  server: string,
  onSignedOut?: (error: SignedOutError) => void,
): Promise<RenewedToken | null> {
  const store = new SignInStore(server);
  return (await store.isThere()) ? new RenewedToken(store, createRefresh(), onSignedOut) : null;
}

/** The library of the provider is loaded at the first renewal, and its document is fetched once. */
function createRefresh(): Refresh {
  let provider: Promise<{ refresh(token: string): ReturnType<Refresh> }> | null = null;
  return async ({ signIn }, refreshToken) => {
    if (!provider) {
      provider = import('./identity-provider.ts').then(({ IdentityProvider }) => IdentityProvider.find(signIn));
      // The next renewal tries again.
      provider.catch(() => {
        provider = null;
      });
    }
    return await (await provider).refresh(refreshToken);
  };
}
