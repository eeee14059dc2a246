/** A bounded amount of something that the callers of a server share: none of them can take all of it. */
export class FairShare {
  readonly #max: number;
  readonly #maxPerOwner: number;
  readonly #ofOwner = new Map<string, number>();
  #taken = 0;

  /** @param max for all owners together. @param maxPerOwner for one of them. */
  constructor(max: number, maxPerOwner: number) {
    this.#max = max;
    this.#maxPerOwner = maxPerOwner;
  }

  /** @returns what gives the amount back, to be called once; null when so much is not left for this owner. */
  take(owner: string, amount: number): (() => void) | null {
    const own = this.#ofOwner.get(owner) ?? 0;
    if (this.#taken + amount > this.#max || own + amount > this.#maxPerOwner) return null;
    this.#add(owner, amount);
    return () => this.#add(owner, -amount);
  }

  #add(owner: string, amount: number): void {
    this.#taken += amount;
    const own = (this.#ofOwner.get(owner) ?? 0) + amount;
    if (own > 0) this.#ofOwner.set(owner, own);
    else this.#ofOwner.delete(owner);
  }
}
