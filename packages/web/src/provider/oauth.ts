/**
 * The calls to the identity provider: OpenID Connect Discovery, authorization code with PKCE (RFC 7636), renewal and
 * revocation (RFC 7009). Loaded when somebody signs in there.
 */
import { audienceParameters, authorizationParameters } from '@cryolift/protocol/sign-in';
import * as oauth from 'oauth4webapi';
import { texts } from '../texts.ts';
import { GrantEndedError, ProviderAwayError, SignInError } from './failures.ts';
import type { Tokens } from './grant.ts';
import { hostOf, type ProviderConfig } from './provider-config.ts';
import type { StartedSignIn } from './started-sign-in.ts';

/** Longer than a slow provider takes: an answer that is not waited for may have a new refresh token in it. */
const ANSWER_MS = 30_000;
const MAX_NAME_CHARACTERS = 100;
/** Seconds. The page does not use the id token of a renewal, and clocks change while a page is open. */
const ANY_TIME = 10 * 365 * 24 * 60 * 60;

const known = new Map<string, oauth.AuthorizationServer>();

/**
 * @param asksWho the provider asks for a name and a password also when it knows who this is.
 * @throws ProviderAwayError, or SignInError when the provider's document is wrong.
 */
export async function startSignIn(
  config: ProviderConfig,
  place: Pick<StartedSignIn, 'redirectUri' | 'hash' | 'windowOf' | 'skewSeconds'>,
  asksWho: boolean,
): Promise<{ readonly url: string; readonly started: StartedSignIn }> {
  return await translated(config, async () => {
    const { authorization_endpoint: endpoint } = await discover(config);
    const url = new URL(endpoint ?? '');
    if (!/^https?:$/.test(url.protocol)) throw new SignInError(texts.provider.refused(hostOf(config), url.protocol));
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const { prompt, ...others } = authorizationParameters(config);
    const prompts = [...(asksWho ? ['login'] : []), ...(prompt ? [prompt] : [])];
    const parameters = {
      ...others,
      client_id: config.client_id,
      response_type: 'code',
      redirect_uri: place.redirectUri,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(prompts.length > 0 ? { prompt: prompts.join(' ') } : {}),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { url: url.href, started: { ...place, config, state, nonce, verifier } };
  });
}

/**
 * Checks the answer (state, issuer as in RFC 9207) and exchanges its code (nonce, audience and time of the id token).
 *
 * @throws ProviderAwayError or SignInError.
 */
export async function finishSignIn(started: StartedSignIn, answer: URLSearchParams): Promise<Tokens> {
  const { config } = started;
  return await translated(config, async () => {
    const server = await discover(config);
    const client = { client_id: config.client_id, [oauth.clockSkew]: started.skewSeconds, [oauth.clockTolerance]: 60 };
    const parameters = oauth.validateAuthResponse(server, client, answer, started.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      started.redirectUri,
      started.verifier,
      { ...optionsOf(config), additionalParameters: audienceParameters(config) },
    );
    const checks = { expectedNonce: started.nonce, requireIdToken: true };
    return toTokens(await oauth.processAuthorizationCodeResponse(server, client, response, checks));
  });
}

/**
 * Only a refusal of the token endpoint ends a grant.
 *
 * @throws ProviderAwayError or GrantEndedError.
 */
export async function renewTokens(config: ProviderConfig, refreshToken: string): Promise<Tokens> {
  try {
    return await translated(config, async () => {
      const server = await discover(config);
      const client = { client_id: config.client_id, [oauth.clockTolerance]: ANY_TIME };
      const options = { ...optionsOf(config), additionalParameters: audienceParameters(config) };
      const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, options);
      return toTokens(await oauth.processRefreshTokenResponse(server, client, response));
    });
  } catch (error) {
    const { message, cause } = error as Error;
    if (error instanceof SignInError && cause instanceof oauth.ResponseBodyError) {
      throw new GrantEndedError(message, { cause });
    }
    // The provider may have moved.
    known.delete(config.issuer);
    throw error instanceof ProviderAwayError ? error : new ProviderAwayError(message, { cause });
  }
}

/** Does nothing where the provider has no revocation endpoint. @throws ProviderAwayError or SignInError. */
export async function revokeTokens(config: ProviderConfig, refreshToken: string): Promise<void> {
  await translated(config, async () => {
    const server = await discover(config);
    if (server.revocation_endpoint === undefined) return;
    const client = { client_id: config.client_id };
    // Sent also when the tab is closed right after the sign-out.
    const options = { ...optionsOf(config, true), additionalParameters: { token_type_hint: 'refresh_token' } };
    const response = await oauth.revocationRequest(server, client, oauth.None(), refreshToken, options);
    await oauth.processRevocationResponse(response);
  });
}

async function discover(config: ProviderConfig): Promise<oauth.AuthorizationServer> {
  const found = known.get(config.issuer);
  if (found) return found;
  const issuer = new URL(config.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, optionsOf(config)));
  known.set(config.issuer, server);
  return server;
}

/**
 * The administrator of the server has set the issuer; without TLS it is on loopback or in a closed network.
 *
 * @param keepalive the request continues when the page is closed; its answer is lost then.
 */
function optionsOf({ issuer }: ProviderConfig, keepalive = false) {
  return {
    [oauth.allowInsecureRequests]: issuer.startsWith('http:'),
    [oauth.customFetch]: (url: string, init: object) => fetch(url, { ...init, keepalive, cache: 'no-store' }),
    signal: () => AbortSignal.timeout(ANSWER_MS),
  };
}

function toTokens(response: oauth.TokenEndpointResponse): Tokens {
  const claims = oauth.getValidatedIdTokenClaims(response);
  const names = [claims?.name, claims?.preferred_username, claims?.email];
  const name = names.find((each) => typeof each === 'string' && each.trim() !== '') as string | undefined;
  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token ?? null,
    lifeSeconds: response.expires_in ?? null,
    name: name?.trim().slice(0, MAX_NAME_CHARACTERS) ?? null,
  };
}

async function translated<Result>(config: ProviderConfig, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw translate(error, hostOf(config));
  }
}

function translate(error: unknown, host: string): Error {
  const cause = { cause: error };
  const words = texts.provider;
  if (error instanceof oauth.AuthorizationResponseError) {
    if (error.error === 'access_denied') return new SignInError(words.denied(host), cause);
    return new SignInError(words.refused(host, error.error_description ?? error.error), cause);
  }
  if (error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429) {
    return new SignInError(words.refused(host, error.error_description ?? error.error), cause);
  }
  if (error instanceof oauth.OperationProcessingError) {
    if (error.code === oauth.JWT_TIMESTAMP_CHECK) return new SignInError(words.clock, cause);
    // Other causes are the answer of a proxy, or of a provider that is being started.
    if (!(error.cause instanceof Response)) return new SignInError(words.untrusted(host, error.message), cause);
  }
  if (error instanceof SignInError) return error;
  return new ProviderAwayError(words.away(host), cause);
}
