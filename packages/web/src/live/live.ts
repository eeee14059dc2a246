/**
 * What happens on the server, as it happens. A browser holds six connections per server over HTTP/1.1, so one tab of the
 * browser reads the stream and tells the others.
 */
import { readEvents } from '@cryolift/client';
import { Cell } from '../cell.ts';
import type { TokenKeeper } from '../signing-in/token-keeper.ts';
import type { WatchedTransport } from './watched-transport.ts';

const PATH = '/events';
/** The server sends something every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/** A CloudEvent 1.0, as far as it is used here. */
export interface CloudEvent {
  readonly type: string;
  /** `uploads/ID` or `files/ID`. */
  readonly subject: string;
  readonly data: unknown;
}

type Message =
  | { readonly kind: 'ask' }
  | { readonly kind: 'live'; readonly subject: string; readonly live: boolean }
  | { readonly kind: 'event'; readonly subject: string; readonly event: CloudEvent };

export class Live {
  /** False: nothing is told, so whoever wants to know has to ask now and then. */
  readonly isLive = new Cell(false);
  readonly #keeper: TokenKeeper;
  readonly #transport: WatchedTransport;
  readonly #onEvent: (event: CloudEvent) => void;
  readonly #tabs = new BroadcastChannel('cryolift-events');
  /** This tab reads the stream. */
  #leads = false;
  #lastId = '';

  constructor(keeper: TokenKeeper, transport: WatchedTransport, onEvent: (event: CloudEvent) => void) {
    this.#keeper = keeper;
    this.#transport = transport;
    this.#onEvent = onEvent;
    this.#tabs.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
  }

  /** Goes on for as long as the page is there. Where the browser has no locks (no https), nothing is live. */
  async follow(): Promise<void> {
    for (;;) {
      await this.#keeper.get(false);
      const subject = this.#subject();
      this.#tabs.postMessage({ kind: 'ask' } satisfies Message);
      const signedOut = new AbortController();
      const unwatch = this.#keeper.state.watch(() => {
        if (this.#subject() !== subject) signedOut.abort();
      });
      try {
        const { signal } = signedOut;
        await navigator.locks?.request(`cryolift-events ${subject}`, { signal }, () => this.#lead(subject, signal));
        // The server has no such stream.
        if (!signal.aborted) return;
      } catch (error) {
        if (!signedOut.signal.aborted) throw error;
      } finally {
        unwatch();
        this.isLive.set(false);
        this.#lastId = '';
      }
    }
  }

  #subject(): string {
    const { value } = this.#keeper.state;
    return value.kind === 'no' ? '' : value.claims.subject;
  }

  #hear(message: Message): void {
    if (message.kind === 'ask') {
      if (this.#leads) this.#tell({ kind: 'live', subject: this.#subject(), live: this.isLive.value });
    } else if (message.subject === this.#subject() && !this.#leads) {
      if (message.kind === 'live') this.isLive.set(message.live);
      else this.#onEvent(message.event);
    }
  }

  #tell(message: Message): void {
    this.#tabs.postMessage(message);
  }

  #setLive(subject: string, live: boolean): void {
    this.isLive.set(live);
    this.#tell({ kind: 'live', subject, live });
  }

  /** Returns when the server has no such stream, or signal is aborted. */
  async #lead(subject: string, signal: AbortSignal): Promise<void> {
    this.#leads = true;
    let failures = 0;
    try {
      for (;;) {
        const outcome = await this.#readOnce(subject, signal).catch((): Outcome => 'lost');
        this.#setLive(subject, false);
        if (signal.aborted || outcome === 'unknown') return;
        failures = outcome === 'ended' ? 0 : failures + 1;
        if (outcome === 'lost') this.#transport.noteLost();
        await waitMs(Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), signal);
      }
    } finally {
      this.#leads = false;
    }
  }

  async #readOnce(subject: string, signal: AbortSignal): Promise<Outcome> {
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAlive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    try {
      const token = await this.#keeper.get(false);
      onAlive();
      const response = await fetch(PATH, {
        headers: { authorization: `Bearer ${token}`, ...(this.#lastId ? { 'last-event-id': this.#lastId } : {}) },
        signal: AbortSignal.any([signal, silence.signal]),
        cache: 'no-store',
      });
      this.#transport.noteReached();
      if (response.status === 401) await this.#keeper.get(true);
      if ([403, 404, 405].includes(response.status)) return 'unknown';
      if (!response.ok || !response.body) return 'refused';
      this.#setLive(subject, true);
      const onId = (id: string) => {
        this.#lastId = id;
      };
      for await (const { data } of readEvents(response.body, onAlive, onId)) {
        const event = JSON.parse(data) as CloudEvent;
        this.#onEvent(event);
        this.#tell({ kind: 'event', subject, event });
      }
      return 'ended';
    } finally {
      clearTimeout(timer);
    }
  }
}

type Outcome = 'ended' | 'lost' | 'refused' | 'unknown';

async function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
