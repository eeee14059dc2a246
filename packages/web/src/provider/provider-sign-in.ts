/** Signing in at the identity provider: in this tab, or in a window when this tab has work that would be lost. */
import { ConnectionError, RetryPolicy, type Transport } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import { SignInError } from './failures.ts';
import { type Grant, newGrant } from './grant.ts';
import { GrantRenewer } from './grant-renewer.ts';
import type { ProviderConfig } from './provider-config.ts';
import { SharedGrants } from './shared-grants.ts';
import { receiveResults, type SignInResult } from './sign-in-channel.ts';
import { type ProviderAnswer, type StartedSignIn, saveStarted } from './started-sign-in.ts';

/** The fragment of a window that signs in for a tab; the name of the tab follows. */
export const WINDOW_HASH = '#sign-in/';
const WINDOW_FEATURES = 'popup,width=520,height=760';
/** In the local storage: somebody has signed out in this browser, and the next one may be somebody else. */
const SIGNED_OUT_KEY = 'cryolift-signed-out';

/** What is known of the server's identity provider. `null`: there is none, or this page cannot use it. */
type Known = { readonly config: ProviderConfig; readonly skewSeconds: number } | null;

export class ProviderSignIn {
  /** Undefined until the server has answered. */
  readonly known = new Cell<Known | undefined>(undefined);
  /** Why the last sign-in did not succeed. */
  readonly failure = new Cell<string | null>(null);
  /** The page is about to leave for the provider. */
  readonly isLeaving = new Cell(false);
  /** Called with the result of a sign-in in a window. */
  onSignedIn: (grant: Grant) => void = () => {};
  readonly #transport: Transport;
  readonly #shared = new SharedGrants();
  /** The name of this tab, for windows that it opens. */
  #tab: string | null = null;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Asks the server, until it answers, where people sign in. */
  async load(): Promise<void> {
    // Without https, browsers do not compute the digest of PKCE.
    if (!isSecureContext) {
      this.known.set(null);
      return;
    }
    const known = await new RetryPolicy(Number.POSITIVE_INFINITY)
      .retry(
        () => fetchKnown(this.#transport),
        undefined,
        () => this.known.value === undefined && this.known.set(null),
      )
      .catch(() => null);
    this.known.set(known);
    if (known) void this.#shared.removeOld();
  }

  /** @param inWindow this tab has work that leaving it would stop. */
  async start(inWindow: boolean): Promise<void> {
    this.failure.set(null);
    if (inWindow) {
      this.#openWindow();
      return;
    }
    const { hash } = location;
    this.isLeaving.set(true);
    try {
      location.assign(await this.begin({ hash, windowOf: null }));
    } catch (error) {
      this.failure.set((error as Error).message);
    } finally {
      this.isLeaving.set(false);
    }
  }

  /** @returns the address of the provider's page. @throws Error with a message for the user. */
  async begin(place: Pick<StartedSignIn, 'hash' | 'windowOf'>): Promise<string> {
    const { value: known } = this.known;
    if (!known) throw new SignInError(texts.signIn.unreachable);
    const { config, skewSeconds } = known;
    const { startSignIn } = await loadOAuth();
    const redirectUri = `${location.origin}/`;
    const { url, started } = await startSignIn(config, { ...place, redirectUri, skewSeconds }, hasSignedOut());
    if (!saveStarted(started)) throw new SignInError(texts.provider.noStorage);
    return url;
  }

  /** Turns the provider's answer into a grant. @throws Error with a message for the user. */
  async finish({ parameters, started }: ProviderAnswer): Promise<Grant> {
    if (!started) throw new SignInError(texts.provider.notStarted);
    const { finishSignIn } = await loadOAuth();
    const tokens = await finishSignIn(started, parameters);
    setSignedOut(false);
    return newGrant(started.config, tokens);
  }

  renewerOf(grant: Grant): GrantRenewer {
    const renewTokens = async (config: ProviderConfig, refreshToken: string) =>
      await (await loadOAuth()).renewTokens(config, refreshToken);
    // Loaded now: the file may be gone when the server was updated meanwhile.
    void loadOAuth().catch(() => {});
    const whenOnline = async (signal: AbortSignal) => {
      await new Promise<Event>((resolve) => addEventListener('online', resolve, { once: true, signal }));
    };
    return new GrantRenewer({ grant, renewTokens, shared: this.#shared, whenOnline });
  }

  /** The next one to sign in in this browser is asked for a name and a password. */
  async signOut(renewer: GrantRenewer): Promise<void> {
    setSignedOut(true);
    await renewer.signOut((grant) => this.revoke(grant));
  }

  /** A provider that does not answer keeps a refresh token that nobody has. */
  async revoke({ config, refreshToken }: Grant): Promise<void> {
    if (refreshToken !== null)
      await loadOAuth()
        .then((oauth) => oauth.revokeTokens(config, refreshToken))
        .catch(() => {});
  }

  #openWindow(): void {
    if (this.#tab === null) {
      this.#tab = crypto.randomUUID();
      receiveResults(this.#tab, (result: SignInResult) => {
        if (result.kind === 'signed-in') this.onSignedIn(result.grant);
        else this.failure.set(result.message);
      });
    }
    const opened = window.open(`/${WINDOW_HASH}${this.#tab}`, '', WINDOW_FEATURES);
    if (!opened) this.failure.set(texts.provider.windowBlocked);
  }
}

async function loadOAuth(): Promise<typeof import('./oauth.ts')> {
  try {
    return await import('./oauth.ts');
  } catch (cause) {
    throw new SignInError(texts.provider.notLoaded, { cause });
  }
}

function hasSignedOut(): boolean {
  try {
    return localStorage.getItem(SIGNED_OUT_KEY) !== null;
  } catch {
    return false;
  }
}

/** Where the browser allows no storage, nobody signs in at the provider. */
function setSignedOut(isSignedOut: boolean): void {
  try {
    if (isSignedOut) localStorage.setItem(SIGNED_OUT_KEY, 'yes');
    else localStorage.removeItem(SIGNED_OUT_KEY);
  } catch {}
}

/** Sent without a token. @throws ConnectionError when the server does not answer as it should. */
async function fetchKnown(transport: Transport): Promise<Known> {
  const { status, body, headers } = await transport.send({ method: 'GET', path: '/limits', headers: {} });
  if (status !== 200) throw new ConnectionError(`GET /limits answered ${status}`);
  // A server of an earlier version, beside this one, says nothing.
  const { sign_in: config = null } = JSON.parse(new TextDecoder().decode(body)) as Partial<Limits>;
  const aheadMs = Date.parse(headers.date ?? '') - Date.now();
  return config && { config, skewSeconds: Number.isNaN(aheadMs) ? 0 : Math.round(aheadMs / 1000) };
}
