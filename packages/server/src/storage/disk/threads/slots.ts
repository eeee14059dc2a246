/** A fixed number of shared memory blocks for receiving bodies: the memory limit of all uploads. */

/** One write to disk; also the granularity of messages to the workers. */
export const SLOT_BYTES = 1024 * 1024;

/** An active client fills a slot in less time; others do not wait longer for a slow one. */
const FILLING_MS = 5;

/** The holder of a slot that is not full. */
export interface SlotHolder {
  /** Called when others wait for a slot: pass on the filled part, so that the slot is released. */
  yieldSlot(): void;
}

export class SlotPool {
  readonly memory: SharedArrayBuffer;
  readonly #free: number[] = [];
  readonly #waiting: (() => void)[] = [];
  /** In the order of their first bytes. */
  readonly #filling = new Map<number, SlotHolder>();
  #asking: NodeJS.Timeout | undefined;

  constructor(count: number) {
    this.memory = new SharedArrayBuffer(count * SLOT_BYTES);
    for (let slot = count - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  /** A free slot, or undefined when there is none or others have waited longer. */
  take(holder: SlotHolder): number | undefined {
    if (this.#waiting.length > 0) return undefined;
    return this.#grant(holder);
  }

  /** Resolves with a slot once there is one, in the order of asking. */
  async wait(holder: SlotHolder): Promise<number> {
    let slot = this.take(holder);
    while (slot === undefined) {
      const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
      this.#asking ??= setTimeout(() => this.#askHolders(), FILLING_MS);
      await turn;
      slot = this.#grant(holder);
    }
    return slot;
  }

  /** The holder has passed the slot on for writing; `release` returns it. */
  handOver(slot: number): void {
    this.#filling.delete(slot);
  }

  release(slot: number): void {
    this.#filling.delete(slot);
    this.#free.push(slot);
    this.#waiting.shift()?.();
  }

  view(slot: number): Buffer {
    return Buffer.from(this.memory, slot * SLOT_BYTES, SLOT_BYTES);
  }

  /** A slow client may need minutes to fill a slot: the oldest holders yield. */
  #askHolders(): void {
    this.#asking = undefined;
    for (const holder of [...this.#filling.values()].slice(0, this.#waiting.length)) holder.yieldSlot();
    if (this.#waiting.length > 0) this.#asking = setTimeout(() => this.#askHolders(), FILLING_MS);
  }

  #grant(holder: SlotHolder): number | undefined {
    const slot = this.#free.pop();
    if (slot !== undefined) this.#filling.set(slot, holder);
    return slot;
  }
}
