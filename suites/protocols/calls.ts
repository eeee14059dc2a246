/** The requests that checks of every protocol send. `headers` of a request win; an empty value leaves one out. */
import assert from 'node:assert/strict';
import {
  type Answer,
  exchange,
  exchangePartly,
  type Fields,
  type Outgoing,
  offsetIn,
  type Unfinished,
} from './exchange.ts';

export type Part = Partial<Outgoing>;

export class ProtocolCalls<Server extends { readonly url: string; readonly headers: Fields }> {
  readonly server: Server;
  readonly #own: Fields;

  /** @param own fields of the protocol, with each request. */
  constructor(server: Server, own: Fields) {
    this.server = server;
    this.#own = own;
  }

  async send(method: string, url: string, headers: Fields = {}, part: Part = {}): Promise<Answer> {
    return await exchange(this.#outgoing(method, url, headers, part));
  }

  async sendPartly(
    method: string,
    url: string,
    headers: Fields,
    body: Uint8Array,
    sentBytes: number,
  ): Promise<Unfinished> {
    return await exchangePartly(this.#outgoing(method, url, headers, { body }), sentBytes);
  }

  locationOf({ headers }: Pick<Answer, 'headers'>): string {
    assert.ok(headers.location, 'the creation was answered without Location');
    return new URL(headers.location, this.server.url).href;
  }

  async head(url: string): Promise<Answer> {
    return await this.send('HEAD', url);
  }

  async offsetOf(url: string): Promise<number> {
    return offsetIn(await this.head(url));
  }

  #outgoing(method: string, url: string, headers: Fields, part: Part): Outgoing {
    const all = { ...this.server.headers, ...this.#own, ...headers };
    const kept = Object.entries(all).filter(([, value]) => value !== '');
    return { ...part, method, url, headers: Object.fromEntries(kept) };
  }
}
