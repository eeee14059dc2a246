/**
 * Sends parts to the server and to its further origins (`part_origins` of `GET /limits`). A browser opens six
 * connections to each origin.
 */
import { ConnectionError, isOverload, SourceError } from '../failures.ts';
import type { Transport, WireReply, WireRequest } from '../ports.ts';
import { parse } from './authorized-transport.ts';
import { isReceipt } from './shapes.ts';

/** An origin that could not be used is not tried for so long. */
const REST_MS = 10 * 60_000;

export interface PartOriginsOptions {
  /** The URL of the server. Its path is kept at every origin. */
  readonly server: string;
  /** Opens connections to another URL of the server. */
  readonly open: (url: string) => Transport;
  /** Parts in flight at each further origin. In a browser one of six connections is for preflights. */
  readonly parallel: number;
}

interface Origin {
  readonly name: string;
  readonly transport: Transport;
  readonly parallel: number;
  inFlight: number;
  restsUntilMs: number;
}

export class PartOrigins implements Transport {
  readonly #options: PartOriginsOptions | undefined;
  readonly #main: Origin;
  readonly #now: () => number;
  #others: readonly Origin[] = [];

  /**
   * @param main connections to the server. @param parallel parts in flight there.
   * @param options undefined: all parts go to the server. @param now milliseconds of a monotonic clock.
   */
  constructor(
    main: Transport,
    parallel: number,
    options: PartOriginsOptions | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#main = { name: '', transport: main, parallel, inFlight: 0, restsUntilMs: 0 };
    this.#now = now;
  }

  /** True when this client uses further origins. */
  get isOpen(): boolean {
    return this.#options !== undefined;
  }

  /** Parts that can be in flight at all usable origins together. */
  get parallel(): number {
    return this.#usable().reduce((sum, { parallel }) => sum + parallel, 0);
  }

  /**
   * Takes the origins that the server has named. A token is sent to them: only over https, or with the scheme of the
   * server.
   */
  use(names: readonly string[]): void {
    const options = this.#options;
    if (!options) return;
    const server = new URL(options.server);
    const isSafe = ({ protocol, origin }: URL) =>
      origin !== server.origin && (protocol === 'https:' || (protocol === 'http:' && server.protocol === 'http:'));
    const urls = names.filter((name) => URL.canParse(name)).map((name) => new URL(name));
    const origins = new Set(urls.filter(isSafe).map(({ origin }) => origin));
    this.#others = [...origins].map((name) => this.#others.find((known) => known.name === name) ?? this.#make(name));
  }

  /** Uses the origin with the fewest parts in flight. One that fails is replaced by the server itself. */
  async send(wire: WireRequest): Promise<WireReply> {
    const origin = this.#usable().reduce((least, each) => (loadOf(each) < loadOf(least) ? each : least));
    if (origin === this.#main) return await this.#sendTo(origin, wire);
    const reply = await this.#sendTo(origin, wire).catch((error: unknown) => {
      wire.signal?.throwIfAborted();
      // Without a network no origin is at fault.
      if (error instanceof SourceError || (error instanceof ConnectionError && error.offline)) throw error;
      return null;
    });
    // An overloaded server is the same at each origin.
    if (reply && (isStored(reply) || isOverload(reply.status))) return reply;
    const authoritative = await this.#sendTo(this.#main, wire);
    if (authoritative.status !== reply?.status) origin.restsUntilMs = this.#now() + REST_MS;
    return authoritative;
  }

  async #sendTo(origin: Origin, wire: WireRequest): Promise<WireReply> {
    origin.inFlight++;
    try {
      return await origin.transport.send(wire);
    } finally {
      origin.inFlight--;
    }
  }

  #usable(): Origin[] {
    const nowMs = this.#now();
    return [this.#main, ...this.#others.filter(({ restsUntilMs }) => nowMs >= restsUntilMs)];
  }

  #make(name: string): Origin {
    const { server, open, parallel } = this.#options as PartOriginsOptions;
    const transport = open(new URL(new URL(server).pathname, name).href);
    return { name, transport, parallel, inFlight: 0, restsUntilMs: 0 };
  }
}

function loadOf({ inFlight, parallel }: Origin): number {
  return inFlight / parallel;
}

/** False for an answer that another server may have given. */
function isStored(reply: WireReply): boolean {
  try {
    return reply.status < 300 && parse(reply, isReceipt) !== null;
  } catch {
    return false;
  }
}
