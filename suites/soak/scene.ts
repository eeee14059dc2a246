/** What clients and faults share during a soak. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../faults/random.ts';
import type { Caller, Weather } from '../reliability/caller.ts';
import type { Gate } from '../reliability/gate.ts';
import type { Entry, Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import type { Disturbances } from './disturbances.ts';
import type { Kind, Outcomes, Tally } from './tally.ts';

/** What is longer under way is stuck. Far beyond what the faults cost. */
export const STUCK_MS = 10 * 60_000;
/** Runs of one upload. Each fault may end one or two. */
const MOST_RUNS = 40;

export interface Scene {
  readonly ledger: Ledger;
  readonly caller: Caller;
  readonly weather: Weather;
  readonly gate: Gate;
  /** Through the gate: they wait while the server is away. */
  readonly steps: Steps;
  readonly disturbances: Disturbances;
  readonly tally: Tally;
  /** Of the server itself; it stays the same over restarts. */
  readonly url: string;
  /** Of a proxy with all faults, for clients that check what they send and receive. */
  readonly badUrl: string;
  /** Of a proxy that turns no bit and holds nothing back for good, for clients without digests and time limits. */
  readonly cutUrl: string;
  /** For files of the clients. */
  readonly folder: string;
  readonly partSizeBytes: number;
  readonly mostBytes: number;
  /** Multiplies the times between uploads. */
  readonly pace: number;
  /** Aborted when no new upload is to begin. */
  readonly over: AbortSignal;
  /** @param ttlSeconds of the token. */
  token(owner: string, ttlSeconds?: number): string;
  note(what: string): void;
}

export interface Actor {
  readonly kind: Kind;
  readonly owner: string;
  readonly random: Random;
  readonly scene: Scene;
}

export function outcomesOf({ scene, kind }: Actor): Outcomes {
  return scene.tally[kind];
}

/** Runs one upload after the other, with a time in between, until the soak is over. */
export async function repeat(actor: Actor, meanPauseMs: number, one: (nth: number) => Promise<void>): Promise<void> {
  const { scene, random } = actor;
  const pause = async () => {
    const ms = Math.round(random.whole(1, 2000) * (meanPauseMs / 1000) * scene.pace);
    await sleep(ms, undefined, { signal: scene.over }).catch(() => {});
  };
  await pause();
  for (let nth = 0; !scene.over.aborted; nth++) {
    outcomesOf(actor).started++;
    await one(nth);
    await pause();
  }
}

/** Of any size from nothing to the largest, small ones as often as large ones. */
export function drawSize(random: Random, mostBytes: number): number {
  if (random.chance(0.03)) return 0;
  return random.magnitude(1, mostBytes);
}

/**
 * Runs a client until it says that it is done.
 *
 * @param run throws an error when the client gives up. `again` counts from 0.
 * @param isExplained of an error that is no fault's, but expected.
 * @returns false when it has failed; then the ledger has the fault.
 */
export async function runUntilDone(
  { scene, kind }: Pick<Actor, 'scene' | 'kind'>,
  entry: Entry,
  run: (again: number) => Promise<void>,
  isExplained: (error: Error) => boolean = () => false,
): Promise<boolean> {
  const deadlineMs = performance.now() + STUCK_MS;
  for (let again = 0; ; again++) {
    const since = scene.disturbances.mark();
    try {
      await withDeadline(run(again), deadlineMs);
      return true;
    } catch (error) {
      const { message } = error as Error;
      const isLate = performance.now() > deadlineMs;
      if (isLate || again === MOST_RUNS || !(isExplained(error as Error) || scene.disturbances.any(since))) {
        const why = isLate ? `is stuck: it is not done in ${STUCK_MS} ms` : `ended in run ${again}`;
        scene.ledger.noteFault(entry, `the client (${kind}) ${why}: ${message}`);
        return false;
      }
      scene.tally[kind].repeated++;
    }
    await sleep(500);
    await scene.disturbances.calm();
  }
}

async function withDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('it took too long')), deadlineMs - performance.now());
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
