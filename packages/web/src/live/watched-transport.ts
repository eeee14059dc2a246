/** A transport that keeps track of whether the server can be reached. */
import { ConnectionError, type Transport, type WireReply, type WireRequest } from '@cryolift/client';
import { Cell } from '../cell.ts';

/** `offline`: this machine has no network. `unreachable`: the machine has network, but the server does not answer. */
export type Connectivity = 'online' | 'offline' | 'unreachable';

export class WatchedTransport implements Transport {
  readonly connectivity = new Cell<Connectivity>(navigator.onLine ? 'online' : 'offline');
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
    addEventListener('offline', () => this.connectivity.set('offline'));
    addEventListener('online', () => this.connectivity.set('online'));
  }

  async send(request: WireRequest): Promise<WireReply> {
    try {
      const reply = await this.#transport.send(request);
      this.reportReachable();
      return reply;
    } catch (error) {
      if (error instanceof ConnectionError && !request.signal?.aborted) this.reportUnreachable();
      throw error;
    }
  }

  async whenOnline(signal: AbortSignal): Promise<void> {
    await this.#transport.whenOnline?.(signal);
  }

  reportReachable(): void {
    this.connectivity.set('online');
  }

  reportUnreachable(): void {
    this.connectivity.set(navigator.onLine ? 'unreachable' : 'offline');
  }
}
