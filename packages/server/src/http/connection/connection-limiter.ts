/** Limits the connections that one IPv4 address or one IPv6 network may have open. */
import { clientNetwork } from './client-network.ts';

export class ConnectionLimiter {
  readonly #maxPerAddress: number;
  readonly #open = new Map<string, number>();

  /** @param maxPerAddress infinity when a proxy makes all connections. */
  constructor(maxPerAddress: number) {
    this.#maxPerAddress = maxPerAddress;
  }

  /**
   * Counts a new connection.
   *
   * @returns a function to call when the connection has ended; null when the limit of its address is reached.
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
