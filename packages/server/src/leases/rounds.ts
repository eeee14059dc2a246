/** Rounds of work of which one is enough for all servers on a database. With one server, each call does its round. */
import type { Leases } from './leases.ts';

/** Of the interval: so long no other server starts a round after one has started. A timer may come a little early. */
const REST = 0.9;

interface RoundLog {
  error(fields: Record<string, unknown>, message: string): void;
}

export class Rounds {
  readonly #leases: Leases | null;
  readonly #log: RoundLog;
  /** Names of rounds that are to be done here, whatever other servers have done. */
  readonly #requested = new Set<string>();

  /** @param leases null: no other server uses the database. */
  constructor(leases: Leases | null, log: RoundLog) {
    this.#leases = leases;
    this.#log = log;
  }

  /** The next round of this name is done by this server, after that of another one. */
  request(name: string): void {
    this.#requested.add(name);
  }

  /**
   * Does a round on request. A timer may have started one meanwhile, which has taken the request: then there is another.
   *
   * @param round calls `run` with this name. @returns null when it was not done.
   */
  async doRequested<Result>(name: string, round: () => Promise<Result | null>): Promise<Result | null> {
    this.request(name);
    const done = await round();
    if (done !== null) return done;
    this.request(name);
    return await round();
  }

  /**
   * Does the round, unless another server does it or has done it in this interval.
   *
   * @param work should end soon after its signal, which is that of the caller, and also aborted when another server may have
   *   started the round.
   * @returns null when it was not done here. @throws what `work` throws.
   */
  async run<Result>(
    name: string,
    everyMs: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | null> {
    if (!this.#leases) return await work(signal);
    const lease = await this.#take(this.#leases, name, everyMs, signal).catch((error: unknown) => {
      this.#log.error({ round: name, err: error }, 'a round of housekeeping could not begin');
      return null;
    });
    if (!lease) return null;
    try {
      return await work(AbortSignal.any([signal, lease.lost]));
    } finally {
      await lease.release();
    }
  }

  async #take(leases: Leases, name: string, everyMs: number, signal: AbortSignal) {
    const isRequested = this.#requested.delete(name);
    const isDue = await leases.claim(`round/${name}/rest`, REST * everyMs);
    if (isRequested) return await leases.waitFor(`round/${name}`, signal);
    return isDue ? await leases.take(`round/${name}`) : null;
  }
}
