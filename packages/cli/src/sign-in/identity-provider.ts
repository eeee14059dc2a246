/** Calls of the identity provider (`openid-client`), over the same proxies and with the same errors as other calls. */
import { ConnectionError } from '@cryolift/client';
import { HttpTransport } from '@cryolift/client/node';
import type { SignIn } from '@cryolift/protocol/messages';
import { audienceParameters, authorizationParameters } from '@cryolift/protocol/sign-in';
import * as oidc from 'openid-client';
import { findProxy } from '../connection/proxy.ts';
import { Refusal, SignedOutError } from '../process/exit.ts';
import type { Tokens } from './record.ts';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** Without a byte for this time, a call has failed. */
const STALL_MS = 5_000;
/** Documents and tokens are small. */
const MAX_REPLY_BYTES = 1024 * 1024;
/**
 * ID tokens come from the token endpoint itself, over TLS, so that their times prove nothing more; and the clock of this
 * machine may be wrong by years.
 */
const ANY_CLOCK_SECONDS = 100 * 365 * 86_400;

/** Who signed in, and what for. */
export interface Granted {
  readonly tokens: Tokens;
  readonly name: string | null;
}

export class IdentityProvider {
  readonly #config: oidc.Configuration;
  readonly #signIn: SignIn;

  private constructor(config: oidc.Configuration, signIn: SignIn) {
    this.#config = config;
    this.#signIn = signIn;
  }

  /** Fetches its document. @throws ConnectionError; Refusal for an answer that is not its own. */
  static async find(signIn: SignIn): Promise<IdentityProvider> {
    const { issuer, client_id } = signIn;
    const url = URL.canParse(issuer) ? new URL(issuer) : null;
    const isLocal = url?.protocol === 'http:' && LOOPBACK.test(url.hostname);
    if (url?.protocol !== 'https:' && !isLocal) throw refuse(`the identity provider ${issuer} is not reached over TLS`);
    const config = await explained(issuer, () =>
      oidc.discovery(url as URL, client_id, { [oidc.clockTolerance]: ANY_CLOCK_SECONDS }, oidc.None(), {
        [oidc.customFetch]: fetchOver,
        ...(isLocal ? { execute: [oidc.allowInsecureRequests] } : {}),
      }),
    );
    if (config.serverMetadata().issuer !== issuer) throw refuse(`the document of ${issuer} is of another issuer`);
    return new IdentityProvider(config, signIn);
  }

  get hasDeviceSignIn(): boolean {
    return this.#config.serverMetadata().device_authorization_endpoint !== undefined;
  }

  get hasRevocation(): boolean {
    return this.#config.serverMetadata().revocation_endpoint !== undefined;
  }

  /** The URL for the browser (RFC 6749 section 4.1.1, RFC 7636). */
  authorizationUrl(own: { redirect_uri: string; state: string; code_challenge: string }): URL {
    const parameters = { ...authorizationParameters(this.#signIn), ...own, code_challenge_method: 'S256' };
    return oidc.buildAuthorizationUrl(this.#config, parameters);
  }

  /** Checks state and issuer of the answer (RFC 9207), and redeems its code. @param answer the requested redirect URI. */
  async redeem(answer: URL, state: string, verifier: string): Promise<Granted> {
    const checks = { expectedState: state, pkceCodeVerifier: verifier };
    return await this.#ask(() =>
      oidc.authorizationCodeGrant(this.#config, answer, checks, audienceParameters(this.#signIn)),
    );
  }

  /** Asks for a code that a person enters at the provider (RFC 8628). */
  async startDevice(): Promise<oidc.DeviceAuthorizationResponse> {
    const parameters = { scope: this.#signIn.scope, ...audienceParameters(this.#signIn) };
    return await explained(this.#issuer, () => oidc.initiateDeviceAuthorization(this.#config, parameters));
  }

  /** Polls until the person has entered the code. @throws Refusal when it was refused, or too late. */
  async awaitDevice(device: oidc.DeviceAuthorizationResponse, signal: AbortSignal): Promise<Granted> {
    const parameters = audienceParameters(this.#signIn);
    return await this.#ask(() => oidc.pollDeviceAuthorizationGrant(this.#config, device, parameters, { signal }));
  }

  /** @throws SignedOutError when the grant has ended; ConnectionError when there is no answer. */
  async refresh(refreshToken: string): Promise<Tokens> {
    const ask = () => oidc.refreshTokenGrant(this.#config, refreshToken, audienceParameters(this.#signIn));
    const { tokens } = await this.#ask(ask);
    // A provider that does not rotate refresh tokens sends none.
    return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
  }

  /** Ends the grant (RFC 7009). */
  async revoke(refreshToken: string): Promise<void> {
    const hint = { token_type_hint: 'refresh_token' };
    await explained(this.#issuer, () => oidc.tokenRevocation(this.#config, refreshToken, hint));
  }

  get #issuer(): string {
    return this.#signIn.issuer;
  }

  async #ask(call: () => Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>): Promise<Granted> {
    const askedMs = Date.now();
    const answer = await explained(this.#issuer, call);
    const claims = answer.claims();
    const name = [claims?.name, claims?.preferred_username, claims?.email].find((each) => typeof each === 'string');
    const { access_token, refresh_token, scope, expires_in, refresh_expires_in } = answer;
    return {
      name: (name as string | undefined) ?? null,
      tokens: {
        accessToken: access_token,
        refreshToken: refresh_token ?? null,
        scope: scope ?? null,
        lifeSeconds: expires_in ?? null,
        // Keycloak says 0 for a refresh token without an end.
        refreshLifeSeconds:
          typeof refresh_expires_in === 'number' && refresh_expires_in > 0 ? refresh_expires_in : null,
        receivedMs: askedMs,
      },
    };
  }
}

/** @throws what a user can understand in place of the errors of the library, which may contain tokens. */
async function explained<Result>(issuer: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw explain(issuer, error);
  }
}

function explain(issuer: string, error: unknown): unknown {
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError) {
    const { error: code, error_description: description } = error;
    const words = `${issuer} answers ${code}${description ? `: ${description}` : ''}`;
    return code === 'invalid_grant' ? new SignedOutError(`the sign-in has ended: ${words}`) : refuse(words);
  }
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ConnectionError) return cause;
    if (cause.name === 'TimeoutError') return new ConnectionError(`${issuer} did not answer in time`);
  }
  if (!(error instanceof Error) || error.name === 'AbortError') return error;
  const { cause } = error;
  return refuse(`${issuer}: ${error.message}${cause instanceof Error ? `: ${cause.message}` : ''}`);
}

function refuse(message: string): Refusal {
  return new Refusal('sign_in_failed', message, 'Ask the administrator of the server to check its sign-in settings.');
}

const transports = new Map<string, HttpTransport>();

/** As `fetch`, over the transport of the client. An answer of 5xx or 429 is a temporary failure. */
const fetchOver: oidc.CustomFetch = async (target, { method, headers, body, signal }) => {
  const { origin, pathname, search } = new URL(target);
  let transport = transports.get(origin);
  if (!transport) {
    const proxy = findProxy(new URL(origin), process.env)?.url;
    transport = new HttpTransport(origin, { stallMs: STALL_MS, proxy });
    transports.set(origin, transport);
  }
  const bytes = body === undefined || body === null ? undefined : new TextEncoder().encode(String(body));
  const request = { method, path: pathname + search, headers, body: bytes, maxReplyBytes: MAX_REPLY_BYTES, signal };
  const reply = await transport.send(request);
  if (reply.status >= 500 || reply.status === 429) throw new ConnectionError(`${origin} answers ${reply.status}`);
  const init = { status: reply.status, headers: definedOf(reply.headers) };
  return new Response([204, 304].includes(reply.status) ? null : Buffer.from(reply.body), init);
};

function definedOf(headers: Readonly<Record<string, string | undefined>>): [string, string][] {
  return Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined);
}
