/** How many connections one client may hold open: an IPv4 address, or an IPv6 network. */
import { clientNetwork } from './client-network.ts';

export class ConnectionLimiter {
  readonly #maxPerAddress: number;
  readonly #open = new Map<string, number>();

  /** @param maxPerAddress infinity where a proxy has all the connections. */
  constructor(maxPerAddress: number) {
    this.#maxPerAddress = maxPerAddress;
  }

  /**
   * Counts a new connection.
   *
   * @returns what to call when it has ended; null, and it is not counted, when its address has enough.
   */
  admit(address?: string): (() => void) | null {
    const network = clientNetwork(address);
    const open = this.#open.get(network) ?? 0;
    if (open >= this.#maxPerAddress) return null;
    this.#open.set(network, open + 1);
    return () => {
      const left = (this.#open.get(network) ?? 1) - 1;
      if (left > 0) this.#open.set(network, left);
      else this.#open.delete(network);
    };
  }
}
