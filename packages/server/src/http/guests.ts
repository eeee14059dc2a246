/** How many connections one address may hold open: one client that runs wild must not take the place of all others. */
export class Guests {
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
  admit(address = ''): (() => void) | null {
    const open = this.#open.get(address) ?? 0;
    if (open >= this.#maxPerAddress) return null;
    this.#open.set(address, open + 1);
    return () => {
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left > 0) this.#open.set(address, left);
      else this.#open.delete(address);
    };
  }
}
