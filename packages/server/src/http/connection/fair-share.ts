/** A limited amount that callers share. No caller can take all of it. */
export class FairShare {
  readonly #max: number;
  readonly #maxPerAccount: number;
  readonly #ofAccount = new Map<string, number>();
  readonly #ofOwner = new Map<string, number>();
  #taken = 0;

  /**
   * @param max for all accounts together.
   * @param maxPerAccount for one account. All accounts of one owner together have twice as much, because an owner can
   * make any   number of links, and one link must not take all of its owner's share.
   */
  constructor(max: number, maxPerAccount: number) {
    this.#max = max;
    this.#maxPerAccount = maxPerAccount;
  }

  /**
   * @returns a function that gives the amount back, to be called once; null when the account or owner has not enough
   * left.
   */
  take(account: string, amount: number, owner = account): (() => void) | null {
    const ofAccount = (this.#ofAccount.get(account) ?? 0) + amount;
    const ofOwner = (this.#ofOwner.get(owner) ?? 0) + amount;
    if (this.#taken + amount > this.#max) return null;
    if (ofAccount > this.#maxPerAccount || ofOwner > 2 * this.#maxPerAccount) return null;
    const add = (change: number) => {
      this.#taken += change;
      addTo(this.#ofAccount, account, change);
      addTo(this.#ofOwner, owner, change);
    };
    add(amount);
    return () => add(-amount);
  }
}

function addTo(amounts: Map<string, number>, name: string, change: number): void {
  const amount = (amounts.get(name) ?? 0) + change;
  if (amount > 0) amounts.set(name, amount);
  else amounts.delete(name);
}
