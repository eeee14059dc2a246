/** How far the scrub is, kept in the database, and which of several servers works on it. */
import type { ScrubReport } from '@cryolift/protocol/messages';
import { type Database, transact } from '../db/database.ts';
import { lockLease } from '../db/leases.ts';
import { readFact, SCRUB, writeFact } from '../db/server-state.ts';
import type { Lease } from '../leases/lease.ts';
import type { Leases } from '../leases/leases.ts';

/** The stored state, so that a scrub of weeks survives restarts. Files are read in the order of their ids. */
export interface ScrubProgress extends ScrubReport {
  /** The last file at the start of the scrub, and the last checked file. */
  until: string;
  after: string;
}

/** The right of this server to work on the scrub. */
export interface ScrubClaim {
  /** Aborted when another server may work on it, or asks for it. */
  readonly signal: AbortSignal;
  /** @throws Error when another server works on it. */
  keep(progress: ScrubProgress): Promise<void>;
  release(): Promise<void>;
}

export class ScrubState {
  readonly #db: Database;
  readonly #leases: Leases | null;

  /** @param leases null: no other server uses the database. */
  constructor(db: Database, leases: Leases | null) {
    this.#db = db;
    this.#leases = leases;
  }

  /** Other servers may change it. */
  get isShared(): boolean {
    return this.#leases !== null;
  }

  async read(): Promise<ScrubProgress | null> {
    const kept = await readFact(this.#db, SCRUB);
    return kept === undefined ? null : (JSON.parse(kept) as ScrubProgress);
  }

  /** @returns null when another server works on the scrub. */
  async claim(): Promise<ScrubClaim | null> {
    if (!this.#leases) return this.#claimAlone();
    const lease = await this.#leases.take(SCRUB);
    return lease && this.#claimBy(lease);
  }

  /** Makes another server stop working on the scrub. @returns null when a third one does the same. */
  async takeOver(): Promise<ScrubClaim | null> {
    if (!this.#leases) return this.#claimAlone();
    const lease = await this.#leases.replace(SCRUB);
    return lease && this.#claimBy(lease);
  }

  #claimAlone(): ScrubClaim {
    return {
      signal: new AbortController().signal,
      keep: async (progress) => await writeFact(this.#db, SCRUB, JSON.stringify(progress)),
      release: async () => {},
    };
  }

  #claimBy(lease: Lease): ScrubClaim {
    const asked = new AbortController();
    lease.whenAsked(() => asked.abort());
    return {
      signal: AbortSignal.any([lease.lost, asked.signal]),
      keep: async (progress) =>
        await transact(this.#db, async (tx) => {
          if (!(await lockLease(tx, lease))) {
            // Perhaps before the lease itself has found that it is lost.
            asked.abort();
            throw new Error('another server works on the scrub');
          }
          await writeFact(tx, SCRUB, JSON.stringify(progress));
        }),
      release: () => lease.release(),
    };
  }
}
