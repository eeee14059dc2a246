/**
 * What happens on the server to what one subject has, as it happens. A browser holds six connections per server over
 * HTTP/1.1, so one tab of the browser reads the stream and tells the others of the same subject.
 */
import { type GetToken, orAborted, readEvents, sleep } from '@cryolift/client';
import { Cell } from '../cell.ts';
import { withLock } from '../locks.ts';
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
  | { readonly kind: 'live'; readonly live: boolean }
  | { readonly kind: 'event'; readonly event: CloudEvent };

interface LiveOptions {
  readonly subjectKey: string;
  readonly getToken: GetToken;
  /** Resolves when there may be another token. */
  nextToken(): Promise<void>;
  readonly transport: WatchedTransport;
  onEvent(event: CloudEvent): void;
}

export class Live {
  /** False: nothing is told, so whoever wants to know has to ask now and then. */
  readonly isLive = new Cell(false);
  readonly #options: LiveOptions;
  readonly #name: string;
  /** Open while the subject is signed in. */
  #tabs: BroadcastChannel | null = null;
  /** This tab reads the stream. */
  #leads = false;
  #lastId = '';

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#name = `cryolift-events ${options.subjectKey}`;
  }

  /** Goes on until the signal is aborted. Where the browser has no locks (no https), nothing is live. */
  async follow(signal: AbortSignal): Promise<void> {
    if (!navigator.locks) return;
    const tabs = new BroadcastChannel(this.#name);
    tabs.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    this.#tabs = tabs;
    this.#tell({ kind: 'ask' });
    while (!signal.aborted) {
      try {
        await withLock(this.#name, signal, () => this.#lead(signal));
        // This token may not read the stream. Another one of the same subject may.
        await orAborted(this.#options.nextToken(), signal);
      } catch {
        await waitMs(LONGEST_WAIT_MS, signal);
      }
    }
    tabs.close();
    if (this.#tabs === tabs) this.isLive.set(false);
  }

  #hear(message: Message): void {
    if (message.kind === 'ask') {
      if (this.#leads) this.#tell({ kind: 'live', live: this.isLive.value });
    } else if (!this.#leads) {
      if (message.kind === 'live') this.isLive.set(message.live);
      else this.#options.onEvent(message.event);
    }
  }

  #tell(message: Message): void {
    this.#tabs?.postMessage(message);
  }

  #setLive(live: boolean): void {
    this.isLive.set(live);
    this.#tell({ kind: 'live', live });
  }

  /** Returns when the server has no such stream for this token, or the signal is aborted. */
  async #lead(signal: AbortSignal): Promise<void> {
    this.#leads = true;
    let failures = 0;
    try {
      for (;;) {
        const outcome = await this.#readOnce(signal).catch((): Outcome => 'lost');
        if (signal.aborted) return;
        this.#setLive(false);
        if (outcome === 'unknown') return;
        failures = outcome === 'ended' ? 0 : failures + 1;
        if (outcome === 'lost') this.#options.transport.noteLost();
        await waitMs(Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), signal);
      }
    } finally {
      this.#leads = false;
    }
  }

  async #readOnce(signal: AbortSignal): Promise<Outcome> {
    const { getToken, transport, onEvent } = this.#options;
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAlive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    try {
      const token = await orAborted(getToken(false), signal);
      onAlive();
      const response = await fetch(PATH, {
        headers: { authorization: `Bearer ${token}`, ...(this.#lastId ? { 'last-event-id': this.#lastId } : {}) },
        signal: AbortSignal.any([signal, silence.signal]),
        cache: 'no-store',
      });
      transport.noteReached();
      if (response.status === 401) await orAborted(getToken(true), signal);
      if ([403, 404, 405].includes(response.status)) return 'unknown';
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      if (!response.ok || !response.body || !isStream) return 'refused';
      this.#setLive(true);
      const onId = (id: string) => {
        if (!signal.aborted) this.#lastId = id;
      };
      for await (const { data } of readEvents(response.body, onAlive, onId)) {
        if (signal.aborted) break;
        const event = JSON.parse(data) as CloudEvent;
        onEvent(event);
        this.#tell({ kind: 'event', event });
      }
      return 'ended';
    } finally {
      clearTimeout(timer);
      // What is left of an answer would keep its connection.
      silence.abort();
    }
  }
}

type Outcome = 'ended' | 'lost' | 'refused' | 'unknown';

/** Ends early, and without a word, when the signal is aborted. */
async function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, signal).catch(() => {});
}
