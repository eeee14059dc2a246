/** What a server offers, asked for now and then; shared by all uploads of an uploader. */
import type { Limits } from '@cryolift/protocol/messages';

/** The limits of a server change when it is started again. */
const ASK_AGAIN_MS = 10 * 60_000;

export class KnownLimits {
  #limits: Limits | null = null;
  #untilMs = 0;

  /** @param ask for the limits now. */
  async read(ask: () => Promise<Limits>): Promise<Limits> {
    if (this.#limits && performance.now() < this.#untilMs) return this.#limits;
    this.#limits = await ask();
    this.#untilMs = performance.now() + ASK_AGAIN_MS;
    return this.#limits;
  }
}
