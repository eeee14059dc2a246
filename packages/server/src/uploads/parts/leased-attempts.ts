/**
 * Attempts at parts among several servers. Inside this process `PartAttempts` decides; between the processes a lease for each
 * part that is received, and one for an upload whose stored bytes one server has for itself.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { Database, Guard } from '../../db/database.ts';
import { askForLeases, lockLease } from '../../db/leases.ts';
import type { Lease } from '../../leases/lease.ts';
import type { Leases } from '../../leases/leases.ts';
import { type Attempt, type Attempts, exclusive, PartAttempts } from './part-attempts.ts';

/** A superseded request waits so long for the outcome of the newer one. */
const OUTCOME_MS = 20_000;
/** A lease that was given back is taken by the next one in this time. */
const TAKEN_MS = 1_000;

export class LeasedAttempts implements Attempts {
  readonly #db: Database;
  readonly #leases: Leases;
  readonly #local = new PartAttempts();
  /** By upload: the lease of the work that runs in `exclude`. */
  readonly #exclusive = new Map<string, Lease>();

  constructor(db: Database, leases: Leases) {
    this.#db = db;
    this.#leases = leases;
  }

  async begin(uploadId: string, idx: number): Promise<Attempt> {
    for (;;) {
      const attempt = await this.#local.begin(uploadId, idx);
      if (await this.#admit(attempt, uploadId, idx)) return attempt;
      await this.#leases.waitUntilFree(ofUpload(uploadId));
    }
  }

  async beginWithin(uploadId: string, idx: number): Promise<Attempt> {
    const attempt = await this.#local.beginWithin(uploadId, idx);
    if (await this.#admit(attempt, uploadId, idx)) return attempt;
    throw exclusive();
  }

  async current(uploadId: string, idx: number): Promise<{ readonly released: Promise<void> } | undefined> {
    const local = await this.#local.current(uploadId, idx);
    if (local) return local;
    const name = ofPart(uploadId, idx);
    // One that has asked for the lease takes it a little later.
    for (const endMs = performance.now() + TAKEN_MS; performance.now() < endMs; await this.#leases.pause()) {
      if (await this.#leases.isHeld(name)) return { released: this.#leases.waitUntilFree(name, OUTCOME_MS) };
    }
    return undefined;
  }

  async listReceived(uploadId: string, indices: readonly number[]): Promise<Set<number>> {
    const local = await this.#local.listReceived(uploadId, indices);
    const held = await this.#leases.listHeld(indices.map((idx) => ofPart(uploadId, idx)));
    return new Set(indices.filter((idx) => local.has(idx) || held.has(ofPart(uploadId, idx))));
  }

  async exclude<Result>(uploadId: string, work: () => Promise<Result>): Promise<Result> {
    return await this.#local.exclude(uploadId, async () => {
      const lease = await this.#leases.waitFor(ofUpload(uploadId));
      this.#exclusive.set(uploadId, lease);
      try {
        await this.#endAttempts(uploadId, lease);
        return await work();
      } finally {
        this.#exclusive.delete(uploadId);
        await lease.release();
      }
    });
  }

  async isExclusive(uploadId: string): Promise<boolean> {
    return (await this.#local.isExclusive(uploadId)) || (await this.#leases.isHeld(ofUpload(uploadId)));
  }

  async assertExclusive(uploadId: string): Promise<void> {
    if (!(await this.#exclusive.get(uploadId)?.confirm())) throw takenOver();
  }

  guardExclusive(uploadId: string): Guard {
    const lease = this.#exclusive.get(uploadId);
    return async (tx) => {
      if (!lease || !(await lockLease(tx, lease))) throw takenOver();
    };
  }

  get count(): number {
    return this.#local.count;
  }

  /** Takes the lease of an attempt. @returns false when another server works on the upload: the attempt is released. */
  async #admit(attempt: Attempt, uploadId: string, idx: number): Promise<boolean> {
    try {
      if (attempt.aborted || !(await this.#lease(attempt, uploadId, idx))) return true;
      // After the lease was taken: either this sees the other server's lease, or `#endAttempts` there sees ours.
      if (!(await this.#leases.isHeld(ofUpload(uploadId)))) return true;
    } catch (error) {
      attempt.release();
      throw error;
    }
    attempt.release();
    return false;
  }

  /** @returns false when a newer attempt has replaced this one, which is aborted then. */
  async #lease(attempt: Attempt, uploadId: string, idx: number): Promise<boolean> {
    const lease = await this.#leases.replace(ofPart(uploadId, idx), () => attempt.aborted);
    if (lease) attempt.keep(lease);
    else attempt.supersede();
    return lease !== null;
  }

  /** Aborts the attempts of other servers, and waits until their last writes are done or their leases are over. */
  async #endAttempts(uploadId: string, lease: Lease): Promise<void> {
    const parts = `part/${uploadId}/`;
    while ((await askForLeases(this.#db, parts, lease.holder)) > 0) await this.#leases.pause();
  }
}

function ofPart(uploadId: string, idx: number): string {
  return `part/${uploadId}/${idx}`;
}

function ofUpload(uploadId: string): string {
  return `upload/${uploadId}`;
}

function takenOver(): UploadError {
  const message = 'Another server is working on this upload.';
  return new UploadError('overloaded', message, { retryAfterSeconds: 1 });
}
