/** A sign-in that has left for the provider, and the provider's answer in the address. */
import { followAddress } from '../current-route.ts';
import type { ProviderConfig } from './provider-config.ts';

const STORAGE_KEY = 'cryolift-sign-in';

/** Kept in the storage of the tab until the answer comes. */
export interface StartedSignIn {
  readonly config: ProviderConfig;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
  /** Seconds that the clock of the server is ahead of the clock of this machine. */
  readonly skewSeconds: number;
  /** The fragment of the address, to return to the same view. */
  readonly hash: string;
  /** Random name of the tab that has opened this window to sign in; null: this is the tab itself. */
  readonly windowOf: string | null;
}

/** @returns false when the browser allows no storage: the answer could not be checked. */
export function saveStarted(started: StartedSignIn): boolean {
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(started));
    return true;
  } catch {
    return false;
  }
}

/** A sign-in has one answer. */
function takeStarted(): StartedSignIn | null {
  try {
    const saved = sessionStorage.getItem(STORAGE_KEY);
    sessionStorage.removeItem(STORAGE_KEY);
    return saved === null ? null : (JSON.parse(saved) as StartedSignIn);
  } catch {
    return null;
  }
}

export interface ProviderAnswer {
  readonly parameters: URLSearchParams;
  /** Null: no sign-in of this tab waits for this answer. */
  readonly started: StartedSignIn | null;
}

/**
 * Takes the answer out of the address bar and the history, and returns to the view of before.
 *
 * @returns null when the address has none.
 */
export function takeAnswer(): ProviderAnswer | null {
  const parameters = new URLSearchParams(location.search);
  if (!parameters.has('state') || !(parameters.has('code') || parameters.has('error'))) return null;
  const started = takeStarted();
  // Only the fragment comes from the storage: the address stays this page.
  const hash = started?.hash.startsWith('#') ? started.hash : '';
  history.replaceState(null, '', location.pathname + hash);
  followAddress();
  return { parameters, started };
}
