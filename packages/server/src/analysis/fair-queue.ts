/** A queue in which owners take turns, however many requests each has. */

export interface FairQueueLimits {
  /** At the same time. */
  readonly max: number;
  /** Limit for long work, so that short work always has a slot. */
  readonly maxLong: number;
  /** Limit for one owner; at most one of these is long. */
  readonly maxPerOwner: number;
  /** Limits for waiting work, of one owner and of all. */
  readonly maxWaitingPerOwner: number;
  readonly maxWaiting: number;
}

interface Asked {
  readonly isLong: boolean;
  readonly begin: () => void;
}

interface Owner {
  readonly waiting: Set<Asked>;
  running: number;
  runningLong: number;
}

export class FairQueue {
  readonly #limits: FairQueueLimits;
  /** Owners that wait or run, in order of arrival. After its turn an owner goes to the end. */
  readonly #owners = new Map<string, Owner>();
  #running = 0;
  #runningLong = 0;
  #waiting = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  /**
   * Runs `work` in its turn.
   *
   * @returns null when too many wait. @throws the reason of `signal` when it is aborted before the turn, and what
   *   `work` throws.
   */
  take<T>(owner: string, isLong: boolean, signal: AbortSignal, work: () => Promise<T>): Promise<T> | null {
    const { maxWaiting, maxWaitingPerOwner } = this.#limits;
    const own = this.#owners.get(owner) ?? { waiting: new Set(), running: 0, runningLong: 0 };
    if (own.waiting.size >= maxWaitingPerOwner || this.#waiting >= maxWaiting) return null;
    this.#owners.set(owner, own);
    return this.#run(owner, own, isLong, signal, work);
  }

  async #run<T>(name: string, owner: Owner, isLong: boolean, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#wait(name, owner, isLong, signal);
    try {
      return await work();
    } finally {
      this.#count(owner, isLong, -1);
      this.#forgetIdle(name, owner);
      this.#next();
    }
  }

  async #wait(name: string, owner: Owner, isLong: boolean, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const asked: Asked = { isLong, begin: resolve };
    const leave = () => {
      if (!owner.waiting.delete(asked)) return;
      this.#waiting--;
      this.#forgetIdle(name, owner);
      reject(signal.reason);
    };
    owner.waiting.add(asked);
    this.#waiting++;
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    this.#next();
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Gives free slots to the owners in their order. */
  #next(): void {
    while (this.#running < this.#limits.max) {
      const found = this.#findNext();
      if (!found) return;
      const { name, owner, asked } = found;
      owner.waiting.delete(asked);
      this.#waiting--;
      this.#count(owner, asked.isLong, 1);
      this.#owners.delete(name);
      this.#owners.set(name, owner);
      asked.begin();
    }
  }

  #findNext(): { name: string; owner: Owner; asked: Asked } | null {
    for (const [name, owner] of this.#owners) {
      if (owner.running >= this.#limits.maxPerOwner) continue;
      for (const asked of owner.waiting) {
        const hasPlace = !asked.isLong || (owner.runningLong === 0 && this.#runningLong < this.#limits.maxLong);
        if (hasPlace) return { name, owner, asked };
      }
    }
    return null;
  }

  #count(owner: Owner, isLong: boolean, amount: 1 | -1): void {
    this.#running += amount;
    owner.running += amount;
    if (!isLong) return;
    this.#runningLong += amount;
    owner.runningLong += amount;
  }

  #forgetIdle(name: string, owner: Owner): void {
    if (owner.running === 0 && owner.waiting.size === 0) this.#owners.delete(name);
  }
}
