/** The document of an identity provider (OpenID Connect Discovery 1.0): where its keys and endpoints are. */
import { fetchJson } from './fetch-json.ts';

/** Endpoints that the page calls with `fetch`. To others it navigates. */
const CALLED = ['token_endpoint', 'revocation_endpoint'];

export class Discovery {
  readonly #issuer: string;
  #origins: ReadonlySet<string>;

  /** @param issuer as its tokens name it. */
  constructor(issuer: string) {
    this.#issuer = issuer;
    this.#origins = new Set([new URL(issuer).origin]);
  }

  /** The issuer's, and those of the endpoints that the page calls, once the document was fetched. */
  get origins(): readonly string[] {
    return [...this.#origins];
  }

  /** Fetches the document. @returns the URL of the keys. @throws Error when it has another issuer, or no keys. */
  readonly findKeys = async (): Promise<string> => {
    const issuer = this.#issuer;
    const found = (await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)) as Record<
      string,
      unknown
    >;
    if (found.issuer !== issuer)
      throw new Error(`the issuer in the document is ${String(found.issuer)}, not ${issuer}`);
    if (typeof found.jwks_uri !== 'string') throw new Error('the document has no jwks_uri');
    // Over plain HTTP, anybody on the network path could replace the keys.
    if (!this.#isAsSafe(found.jwks_uri)) throw new Error('jwks_uri is not https');
    const urls = CALLED.map((name) => found[name]).filter((url) => typeof url === 'string');
    this.#origins = new Set([issuer, ...urls.filter((url) => this.#isAsSafe(url))].map((url) => new URL(url).origin));
    return found.jwks_uri;
  };

  #isAsSafe(url: string): boolean {
    return URL.canParse(url) && (/^https:/i.test(url) || (/^http:/i.test(url) && !/^https:/i.test(this.#issuer)));
  }
}
