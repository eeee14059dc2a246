/** Requests, and whether the server can be reached at all. */
import { ConnectionError, type Transport, type WireReply, type WireRequest } from '@cryolift/client';
import { Cell } from '../cell.ts';

/** `offline`: this machine has no network. `gone`: it has, but the server does not answer. */
export type Reach = 'reached' | 'offline' | 'gone';

export class WatchedTransport implements Transport {
  readonly reach = new Cell<Reach>(navigator.onLine ? 'reached' : 'offline');
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
    addEventListener('offline', () => this.reach.set('offline'));
    addEventListener('online', () => this.reach.set('reached'));
  }

  async send(request: WireRequest): Promise<WireReply> {
    try {
      const reply = await this.#transport.send(request);
      this.noteReached();
      return reply;
    } catch (error) {
      if (error instanceof ConnectionError && !request.signal?.aborted) this.noteLost();
      throw error;
    }
  }

  async whenOnline(signal: AbortSignal): Promise<void> {
    await this.#transport.whenOnline?.(signal);
  }

  noteReached(): void {
    this.reach.set('reached');
  }

  noteLost(): void {
    this.reach.set(navigator.onLine ? 'gone' : 'offline');
  }
}
