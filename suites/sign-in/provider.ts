/**
 * An identity provider on loopback: the npm package `oidc-provider`, which is certified for OpenID Connect. Its own pages
 * sign in any name with any password, so that a test, or a browser, can go through them.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import { Person } from './person.ts';

/** Scopes of Cryolift that the provider grants. */
const SCOPES = 'uploads:write files:read files:delete files:locate';
const CLIENT_ID = 'cryolift';
/** RFC 8707 wants an absolute URI. */
const AUDIENCE = 'https://lift.example.org/';
/** How long after its `exp` the server still accepts a token (`SKEW_SECONDS` of its `tokens.ts`). */
const SERVER_SKEW_SECONDS = 60;
/** With any port, as RFC 8252 section 7.3 asks of providers. The page's is the root of a server on loopback. */
const REDIRECT_URIS = ['callback', ''].flatMap((path) =>
  ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}/${path}`),
);

/** Seconds. A test may change them at any time: they count for tokens that are issued afterwards. */
interface Lives {
  access: number;
  refresh: number;
  /** Of the code that a person enters. */
  device: number;
}

/** What the provider has done so far. */
interface Counts {
  /** Answers with tokens, by grant type. */
  granted: Record<string, number>;
  /** Refused requests for tokens by their error, as `invalid_grant`. */
  refused: Record<string, number>;
  /** Grants that were revoked, at a request or because a refresh token was used twice. */
  revoked: number;
}

export interface ProviderOptions {
  /** 3600, 86400 and 600 s when not given. */
  readonly lives?: Partial<Lives>;
  /**
   * The server accepts a token for a minute after its `exp`, because clocks differ. True, the default: the `exp` of tokens is
   * a minute earlier, so that a token ends exactly when `expires_in` says. False: as providers do.
   */
  readonly endsExactly?: boolean;
  /** False: the provider has no device authorization endpoint. */
  readonly deviceFlow?: boolean;
  /** False: the provider has no revocation endpoint. */
  readonly revocation?: boolean;
}

/** A provider with the public client `cryolift`: device code, authorization code with PKCE, rotating refresh tokens. */
export class TestProvider {
  readonly clientId = CLIENT_ID;
  readonly audience = AUDIENCE;
  /** `http://127.0.0.1:PORT`. */
  readonly issuer: string;
  readonly lives: Lives;
  readonly counts: Counts = { granted: {}, refused: {}, revoked: 0 };
  /** Awaited after tokens were issued, before they are sent: grant type as in `counts`. */
  beforeAnswer: (grantType: string) => Promise<void> = async () => {};
  readonly #answer: RequestListener;
  #server: Server;
  readonly #port: number;

  private constructor(server: Server, options: ProviderOptions) {
    this.lives = { access: 3600, refresh: 86_400, device: 600, ...options.lives };
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.issuer = `http://127.0.0.1:${this.#port}`;
    const provider = makeProvider(this.issuer, this.lives, options);
    provider.use(async (ctx: KoaContextWithOIDC, next) => {
      await next();
      if (ctx.path === '/token' && ctx.status === 200) await this.beforeAnswer(grantTypeOf(ctx));
    });
    this.#answer = provider.callback();
    server.on('request', this.#answer);
    provider.on('grant.success', (ctx) => count(this.counts.granted, grantTypeOf(ctx)));
    provider.on('grant.error', (_ctx, error) => count(this.counts.refused, error.error));
    provider.on('grant.revoked', () => {
      this.counts.revoked++;
    });
  }

  static async start(options: ProviderOptions = {}): Promise<TestProvider> {
    return new TestProvider(await listen(0), options);
  }

  /** The settings of a server that takes the tokens of this provider and offers to sign in here. */
  get settings(): Record<string, string> {
    return {
      CRYOLIFT_JWT_SECRET: '',
      CRYOLIFT_OIDC_ISSUER: this.issuer,
      CRYOLIFT_OIDC_CLIENT_ID: this.clientId,
      CRYOLIFT_JWT_AUDIENCE: this.audience,
    };
  }

  /**
   * Signs somebody in and consents at an authorization URL, as a browser does.
   *
   * @returns the redirect URI with the answer, which was not requested.
   */
  async signIn(authorizationUrl: string, name = 'ada'): Promise<string> {
    return await new Person(this.issuer, name).authorize(authorizationUrl);
  }

  /** Signs somebody in and confirms the device. @param url `verification_uri_complete`. */
  async approveDevice(url: string, name = 'ada'): Promise<void> {
    await new Person(this.issuer, name).approveDevice(url);
  }

  /** Refuses the authorization instead, as somebody does who presses Cancel. @returns as `signIn`. */
  async refuse(authorizationUrl: string): Promise<string> {
    return await new Person(this.issuer, 'ada').refuse(authorizationUrl);
  }

  /** Refuses a device. @param url as of `approveDevice`. */
  async refuseDevice(url: string): Promise<void> {
    await new Person(this.issuer, 'ada').refuseDevice(url);
  }

  /** Ends a grant, as an administrator does. */
  async revoke(refreshToken: string): Promise<void> {
    const body = new URLSearchParams({ client_id: this.clientId, token: refreshToken });
    const { status } = await fetch(`${this.issuer}/token/revocation`, { method: 'POST', body });
    if (status !== 200) throw new Error(`the provider did not revoke the grant: ${status}`);
  }

  /** Nobody can connect any more; what was issued stays valid. */
  async disconnect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  /** After `disconnect`, on the same port. */
  async reconnect(): Promise<void> {
    this.#server = await listen(this.#port);
    this.#server.on('request', this.#answer);
  }
}

async function listen(port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer();
  server.once('error', reject).listen(port, '127.0.0.1', resolve);
  await promise;
  return server;
}

function makeProvider(issuer: string, lives: Lives, options: ProviderOptions): Provider {
  const { endsExactly = true, deviceFlow = true, revocation = true } = options;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return quietly(
    () =>
      new Provider(issuer, {
        jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'first' } as never] },
        cookies: { keys: ['only for tests'] },
        clients: [
          {
            client_id: CLIENT_ID,
            application_type: 'native',
            token_endpoint_auth_method: 'none',
            grant_types: [
              'authorization_code',
              'refresh_token',
              ...(deviceFlow ? ['urn:ietf:params:oauth:grant-type:device_code'] : []),
            ],
            response_types: ['code'],
            redirect_uris: REDIRECT_URIS,
          },
        ],
        claims: { openid: ['sub', 'name'] },
        findAccount: (_ctx, sub) => ({
          accountId: sub,
          claims: () => ({ sub, name: `${sub[0]?.toUpperCase()}${sub.slice(1)} Example` }),
        }),
        conformIdTokenClaims: false,
        clientBasedCORS: (_ctx, origin) => /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?$/.test(origin),
        rotateRefreshToken: true,
        ttl: {
          AccessToken: () => lives.access,
          RefreshToken: () => lives.refresh,
          DeviceCode: () => lives.device,
          IdToken: 3600,
          Grant: 86_400,
          Session: 86_400,
          Interaction: 3600,
        },
        features: {
          deviceFlow: { enabled: deviceFlow },
          revocation: { enabled: revocation, allowedPolicy: () => true },
          resourceIndicators: {
            enabled: true,
            getResourceServerInfo: () => ({
              scope: SCOPES,
              audience: AUDIENCE,
              accessTokenFormat: 'jwt',
              jwt: { sign: { alg: 'RS256' } },
            }),
          },
        },
        formats: {
          customizers: {
            jwt: (_ctx, _token, jwt) => {
              if (endsExactly) jwt.payload.exp = (jwt.payload.exp as number) - SERVER_SKEW_SECONDS;
            },
          },
        },
      }),
  );
}

/** The package prints that its pages are for development only. */
function quietly<T>(make: () => T): T {
  const { warn, info } = console;
  console.warn = console.info = () => {};
  try {
    return make();
  } finally {
    console.warn = warn;
    console.info = info;
  }
}

function grantTypeOf(ctx: KoaContextWithOIDC): string {
  return String(ctx.oidc.params?.grant_type).replace(/.*:/, '');
}

function count(into: Record<string, number>, name: string): void {
  into[name] = (into[name] ?? 0) + 1;
}
