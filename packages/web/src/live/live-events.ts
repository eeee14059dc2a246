/**
 * The server's events about the uploads and files of one subject. A browser opens six connections per server over HTTP/1.1,
 * so one tab reads the stream and forwards the events to the other tabs of the same subject.
 */
import { type GetToken, orAborted, readEvents, sleep } from '@cryolift/client';
import { Cell } from '../cell.ts';
import { withLock } from '../locks.ts';
import type { WatchedTransport } from './watched-transport.ts';

const PATH = '/events';
/** The stream is closed after this time without bytes: the server sends some every 15 s. */
const MAX_SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

/** The fields of a CloudEvent 1.0 that the page uses. */
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

interface LiveEventsOptions {
  readonly subjectKey: string;
  readonly getToken: GetToken;
  /** Resolves when there may be a new token. */
  nextToken(): Promise<void>;
  readonly transport: WatchedTransport;
  onEvent(event: CloudEvent): void;
}

export class LiveEvents {
  /** False: no events arrive, and lists have to poll. */
  readonly isLive = new Cell(false);
  readonly #options: LiveEventsOptions;
  readonly #name: string;
  /** Open while the subject is signed in. */
  #tabs: BroadcastChannel | null = null;
  /** This tab reads the stream and forwards the events. */
  #isLeader = false;
  #lastId = '';

  constructor(options: LiveEventsOptions) {
    this.#options = options;
    this.#name = `cryolift-events ${options.subjectKey}`;
  }

  /** Runs until the signal is aborted. A browser without locks (no https) gets no events. */
  async follow(signal: AbortSignal): Promise<void> {
    if (!navigator.locks) return;
    const tabs = new BroadcastChannel(this.#name);
    tabs.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
    this.#tabs = tabs;
    this.#post({ kind: 'ask' });
    while (!signal.aborted) {
      try {
        await withLock(this.#name, signal, () => this.#readStream(signal));
        // This token may not read the stream. A new token of the same subject may be allowed to.
        await orAborted(this.#options.nextToken(), signal);
      } catch {
        await waitMs(LONGEST_RETRY_MS, signal);
      }
    }
    tabs.close();
    if (this.#tabs === tabs) this.isLive.set(false);
  }

  #receive(message: Message): void {
    if (message.kind === 'ask') {
      if (this.#isLeader) this.#post({ kind: 'live', live: this.isLive.value });
    } else if (!this.#isLeader) {
      if (message.kind === 'live') this.isLive.set(message.live);
      else this.#options.onEvent(message.event);
    }
  }

  #post(message: Message): void {
    this.#tabs?.postMessage(message);
  }

  #setLive(live: boolean): void {
    this.isLive.set(live);
    this.#post({ kind: 'live', live });
  }

  /** Returns when the server has no stream for this token, or when the signal is aborted. */
  async #readStream(signal: AbortSignal): Promise<void> {
    this.#isLeader = true;
    let failures = 0;
    try {
      for (;;) {
        const outcome = await this.#readOnce(signal).catch((): Outcome => 'lost');
        if (signal.aborted) return;
        this.#setLive(false);
        if (outcome === 'unavailable') return;
        failures = outcome === 'ended' ? 0 : failures + 1;
        if (outcome === 'lost') this.#options.transport.reportUnreachable();
        await waitMs(Math.random() * Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures), signal);
      }
    } finally {
      this.#isLeader = false;
    }
  }

  async #readOnce(signal: AbortSignal): Promise<Outcome> {
    const { getToken, transport, onEvent } = this.#options;
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onBytes = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), MAX_SILENCE_MS);
    };
    try {
      const token = await orAborted(getToken(false), signal);
      onBytes();
      const response = await fetch(PATH, {
        headers: { authorization: `Bearer ${token}`, ...(this.#lastId ? { 'last-event-id': this.#lastId } : {}) },
        signal: AbortSignal.any([signal, silence.signal]),
        cache: 'no-store',
      });
      transport.reportReachable();
      if (response.status === 401) await orAborted(getToken(true), signal);
      if ([403, 404, 405].includes(response.status)) return 'unavailable';
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      if (!response.ok || !response.body || !isStream) return 'refused';
      this.#setLive(true);
      const onId = (id: string) => {
        if (!signal.aborted) this.#lastId = id;
      };
      for await (const { data } of readEvents(response.body, onBytes, onId)) {
        if (signal.aborted) break;
        const event = JSON.parse(data) as CloudEvent;
        onEvent(event);
        this.#post({ kind: 'event', event });
      }
      return 'ended';
    } finally {
      clearTimeout(timer);
      // An answer that is not read to its end would keep its connection.
      silence.abort();
    }
  }
}

type Outcome = 'ended' | 'lost' | 'refused' | 'unavailable';

/** Resolves early when the signal is aborted. */
async function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, signal).catch(() => {});
}
